//! Texts as numbers. Where the texts of a column are short and made of few different bytes, as ids and accounts are, each
//! is packed into 64 bits, in the order of the texts: they are sorted without being looked at again, each somewhere else
//! in memory, and written from their numbers.

/// How the texts of a column are packed: what all begin with is left out, and each byte behind it is a digit.
#[derive(Debug)]
pub(super) struct Packing {
    common: Vec<u8>,
    /// The digit of each byte.
    digits: [u8; 256],
    /// The byte of each digit; of the one that stands for the end, none.
    bytes: Vec<Option<u8>>,
    /// How many bits a digit takes.
    bits: u32,
    /// How many digits the longest text takes.
    length: usize,
}

impl Packing {
    /// Nothing where the texts do not fit.
    pub(super) fn of<'t, T: Iterator<Item = &'t [u8]>>(texts: impl Fn() -> T) -> Option<Self> {
        /// So many texts are looked at before it is asked whether they can still fit.
        const BETWEEN: usize = 256;
        let common = common_of(texts());
        let mut is_used = [false; 256];
        let (mut shortest, mut longest) = (usize::MAX, 0);
        for (place, text) in texts().enumerate() {
            let rest = text.get(common.len()..).unwrap_or_default();
            (shortest, longest) = (shortest.min(rest.len()), longest.max(rest.len()));
            if longest > 64 || (place % BETWEEN == 0 && !fits(&is_used, shortest, longest)) {
                return None;
            }
            for &byte in rest {
                if let Some(slot) = is_used.get_mut(usize::from(byte)) {
                    *slot = true;
                }
            }
        }
        if !fits(&is_used, shortest, longest) {
            return None;
        }
        let mut packing = Self {
            common: common.to_vec(),
            digits: [0; 256],
            bytes: Vec::new(),
            bits: bits(&is_used, shortest, longest),
            length: longest,
        };
        if shortest < longest {
            packing.bytes.push(None);
        }
        for ((byte, is_used), digit) in (0..=u8::MAX).zip(is_used).zip(&mut packing.digits) {
            if is_used {
                *digit = u8::try_from(packing.bytes.len()).ok()?;
                packing.bytes.push(Some(byte));
            }
        }
        Some(packing)
    }

    /// The number of a text, which must be one of those it was made of.
    #[expect(clippy::indexing_slicing, reason = "there are as many digits as bytes")]
    #[inline]
    pub(super) fn pack(&self, text: &[u8]) -> u64 {
        let rest = text.get(self.common.len()..).unwrap_or_default();
        let key = rest
            .iter()
            .fold(0, |key: u64, &byte| key << self.bits | u64::from(self.digits[usize::from(byte)]));
        let missing = u32::try_from(self.length - rest.len()).unwrap_or(0);
        key.checked_shl(missing * self.bits).unwrap_or(0)
    }

    /// The text of a number, put into `text`.
    pub(super) fn unpack(&self, key: u64, text: &mut Vec<u8>) {
        text.clear();
        text.extend_from_slice(&self.common);
        let digits = (0..self.length as u32).rev().map(|place| {
            let digit = key >> (place * self.bits) & ((1 << self.bits) - 1);
            usize::try_from(digit).ok().and_then(|digit| *self.bytes.get(digit)?)
        });
        text.extend(digits.map_while(|byte| byte));
    }
}

/// What all texts begin with.
fn common_of<'t>(mut texts: impl Iterator<Item = &'t [u8]>) -> &'t [u8] {
    let Some(mut common) = texts.next() else { return &[] };
    for text in texts {
        if !text.starts_with(common) {
            let length = common.iter().zip(text).take_while(|(one, other)| one == other).count();
            common = common.get(..length).unwrap_or_default();
        }
    }
    common
}

/// How many bits a digit takes.
fn bits(is_used: &[bool; 256], shortest: usize, longest: usize) -> u32 {
    let digits = is_used.iter().filter(|&&is_used| is_used).count() + usize::from(shortest < longest);
    digits.next_power_of_two().trailing_zeros()
}

fn fits(is_used: &[bool; 256], shortest: usize, longest: usize) -> bool {
    bits(is_used, shortest, longest) as usize * longest <= 64
}
