//! Edges of one relation from one table to one other, in both directions, as compressed rows: the neighbours of a row
//! are one slice of distinct rows, in the order of their ids (backwards, of their rows). Rows whose neighbours changed
//! since have lists of their own beside them.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use rustc_hash::FxHashMap;

use super::{
    bitmap::Bitmap,
    image::{ImageError, ImageReader, ImageWriter, Imaged},
};

/// The neighbours of each row of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    base: Arc<Compressed>,
    /// Lists that stand in place of those of the base.
    replaced: Option<Arc<FxHashMap<u32, Arc<[u32]>>>>,
}

#[derive(Debug, Default)]
struct Compressed {
    /// Where each row's slice begins, and at the end the number of edges.
    offsets: Vec<u32>,
    rows: Vec<u32>,
    /// The rows that have any; made at the first question.
    with_any: OnceLock<Bitmap>,
}

impl Compressed {
    fn new(offsets: Vec<u32>, rows: Vec<u32>) -> Self {
        Self { offsets, rows, with_any: OnceLock::new() }
    }

    fn with_any(&self) -> &Bitmap {
        self.with_any.get_or_init(|| {
            let rows = self.offsets.len().saturating_sub(1);
            let ends = self.offsets.get(1..).unwrap_or_default();
            let mut bounds = self.offsets.iter().zip(ends).map(|(start, end)| start < end);
            Bitmap::from_fn(rows, |_| bounds.next().unwrap_or_default())
        })
    }

    #[inline]
    fn of(&self, row: u32) -> &[u32] {
        let row = row as usize;
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            (Some(&start), Some(&end)) => self.rows.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Whether any row has more than one neighbour.
    fn has_many(&self) -> bool {
        self.offsets.windows(2).any(|bounds| matches!(bounds, [start, end] if end - start > 1))
    }

    #[expect(clippy::indexing_slicing, reason = "a counting sort over arrays of the lengths it made itself")]
    fn transpose(&self, other_rows: usize) -> Self {
        let mut offsets = vec![0u32; other_rows + 1];
        for &target in &self.rows {
            offsets[target as usize + 1] += 1;
        }
        for row in 0..other_rows {
            offsets[row + 1] += offsets[row];
        }
        let mut cursor = offsets.clone();
        let mut rows = vec![0u32; self.rows.len()];
        for (source, bounds) in (0u32..).zip(self.offsets.windows(2)) {
            for &target in &self.rows[bounds[0] as usize..bounds[1] as usize] {
                let slot = &mut cursor[target as usize];
                rows[*slot as usize] = source;
                *slot += 1;
            }
        }
        Self::new(offsets, rows)
    }
}

impl Neighbours {
    /// From each row's neighbours, appended in row order; nothing where there are more edges than numbers for them.
    pub(crate) fn build(rows: usize, mut append: impl FnMut(usize, &mut Vec<u32>)) -> Option<Self> {
        let mut offsets = Vec::with_capacity(rows + 1);
        let mut neighbours = Vec::new();
        offsets.push(0);
        for row in 0..rows {
            append(row, &mut neighbours);
            offsets.push(u32::try_from(neighbours.len()).ok()?);
        }
        neighbours.shrink_to_fit();
        Some(Self { base: Arc::new(Compressed::new(offsets, neighbours)), replaced: None })
    }

    /// The neighbours of a row; none beyond the end.
    #[inline]
    pub(crate) fn of(&self, row: u32) -> &[u32] {
        if let Some(replaced) = &self.replaced
            && let Some(list) = replaced.get(&row)
        {
            return list;
        }
        self.base.of(row)
    }

    /// How many edges the rows had when it was built.
    pub(crate) fn edges(&self) -> usize {
        self.base.rows.len()
    }

    /// Whether any row had more than one neighbour when it was built.
    pub(crate) fn has_many(&self) -> bool {
        self.base.has_many()
    }

    /// How many rows this side had when it was built.
    pub(crate) fn len(&self) -> usize {
        self.base.offsets.len().saturating_sub(1)
    }

    /// Adds the rows that have any neighbour to a set of the rows of this side. Those of the compressed lists are told
    /// once and remembered.
    pub(crate) fn add_with_any(&self, rows: &mut Bitmap) {
        let Some(replaced) = &self.replaced else { return rows.or(self.base.with_any()) };
        let others: Vec<(usize, bool)> = replaced
            .iter()
            .map(|(&row, list)| (row as usize, rows.get(row as usize) || !list.is_empty()))
            .collect();
        rows.or(self.base.with_any());
        for (row, is_in) in others {
            if is_in { rows.set(row) } else { rows.clear(row) }
        }
    }

    /// How many rows have a list beside the compressed ones.
    pub(super) fn replaced(&self) -> usize {
        self.replaced.as_ref().map_or(0, |replaced| replaced.len())
    }

    /// The same with other neighbours for some rows.
    pub(super) fn with(&self, lists: impl IntoIterator<Item = (u32, Vec<u32>)>) -> Self {
        let mut replaced = self.replaced.as_deref().cloned().unwrap_or_default();
        replaced.extend(lists.into_iter().map(|(row, list)| (row, Arc::from(list))));
        Self { base: Arc::clone(&self.base), replaced: (!replaced.is_empty()).then(|| Arc::new(replaced)) }
    }
}

/// Both directions of the edges between two tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adjacency {
    /// From each source row to its targets.
    pub(crate) forward: Neighbours,
    /// From each target row to its sources.
    pub(crate) backward: Neighbours,
}

impl Adjacency {
    /// From the forward direction; every target must be below `targets`.
    pub(crate) fn new(forward: Neighbours, targets: usize) -> Self {
        let backward = Neighbours { base: Arc::new(forward.base.transpose(targets)), replaced: None };
        Self { forward, backward }
    }

    /// The same edges, from their targets to their sources.
    pub(crate) fn reversed(&self) -> Self {
        Self { forward: self.backward.clone(), backward: self.forward.clone() }
    }

    /// The same with other targets for some sources, which must be distinct. Adds to `followed` how many edges that
    /// takes.
    pub(super) fn with(&self, lists: Vec<(u32, Vec<u32>)>, followed: &mut u64) -> Self {
        let mut edits = Edits::default();
        for (source, list) in &lists {
            edits.source(*source, self.forward.of(*source), list);
            *followed += list.len() as u64;
        }
        Self { backward: edits.apply(&self.backward, followed), forward: self.forward.with(lists) }
    }
}

/// What changes in lists of sources.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// By target, the sources that go and those that come.
    by_target: BTreeMap<u32, (Vec<u32>, Vec<u32>)>,
}

impl Edits {
    /// A source goes from some targets to others.
    pub(super) fn source(&mut self, source: u32, before: &[u32], after: &[u32]) {
        let kept: rustc_hash::FxHashSet<u32> = before.iter().copied().collect();
        let mut gone = kept.clone();
        for target in after {
            gone.remove(target);
            if !kept.contains(target) {
                self.by_target.entry(*target).or_default().1.push(source);
            }
        }
        for target in before.iter().filter(|target| gone.contains(target)) {
            self.by_target.entry(*target).or_default().0.push(source);
        }
    }

    /// The lists of sources afterwards.
    pub(super) fn apply(self, sources: &Neighbours, followed: &mut u64) -> Neighbours {
        sources.with(self.by_target.into_iter().map(|(target, (mut gone, come))| {
            gone.sort_unstable();
            let before = sources.of(target);
            *followed += before.len() as u64;
            let kept = before.iter().copied().filter(|source| gone.binary_search(source).is_err());
            let mut list: Vec<u32> = kept.chain(come).collect();
            list.sort_unstable();
            (target, list)
        }))
    }
}

impl Imaged for Compressed {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { offsets, rows, with_any: _ } = self;
        image.u32s(offsets);
        image.u32s(rows);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self::new(image.u32s()?, image.u32s()?))
    }
}

impl Imaged for Neighbours {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { base, replaced } = self;
        base.put(image);
        image.flag(replaced.is_some());
        if let Some(replaced) = replaced {
            let mut lists: Vec<_> = replaced.iter().map(|(row, list)| (*row, list.as_ref())).collect();
            lists.sort_unstable();
            let ends = lists.iter().scan(0u32, |end, (_, list)| {
                *end = end.saturating_add(u32::try_from(list.len()).unwrap_or(u32::MAX));
                Some(*end)
            });
            image.made_u32s(&lists.iter().map(|(row, _)| *row).collect::<Vec<_>>());
            image.made_u32s(&ends.collect::<Vec<_>>());
            image.made_u32s(&lists.iter().flat_map(|(_, list)| *list).copied().collect::<Vec<_>>());
        }
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        let base = Arc::take_from(image)?;
        if !image.flag()? {
            return Ok(Self { base, replaced: None });
        }
        let (rows, ends, neighbours) = (image.u32s()?, image.u32s()?, image.u32s()?);
        let mut start = 0;
        let lists = rows.into_iter().zip(ends).map(|(row, end)| {
            let list = neighbours.get(std::mem::replace(&mut start, end as usize)..end as usize)?;
            Some((row, Arc::from(list)))
        });
        let replaced = lists.collect::<Option<_>>().ok_or(ImageError::OtherFormat)?;
        Ok(Self { base, replaced: Some(Arc::new(replaced)) })
    }
}

impl Imaged for Adjacency {
    fn put<'g>(&'g self, image: &mut ImageWriter<'g>) {
        let Self { forward, backward } = self;
        forward.put(image);
        backward.put(image);
    }

    fn take_from(image: &mut ImageReader) -> Result<Self, ImageError> {
        Ok(Self { forward: Neighbours::take_from(image)?, backward: Neighbours::take_from(image)? })
    }
}
