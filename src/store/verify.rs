//! Verifying a store that nobody has open: every record of the journal, then every row of the index against what the
//! journal says it should be. Changes nothing, and reports damage instead of failing on it.

use std::path::Path;

use super::{
    codec::{self, Totals},
    error::StoreError,
    folder::Folder,
    image,
    index::{self, Index},
    journal::{self, Depth, Hash, Position},
    keys,
    lock::Lock,
    rows::{self, MemoryRows},
};

/// Memory sled may use while its rows are compared.
const CACHE_BYTES: u64 = 64 << 20;

/// What a store holds and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Intact records of the journal.
    pub records: u64,
    /// Its segments.
    pub segments: u64,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The number of its last record.
    pub sequence: u64,
    /// The hash of its last record, in hexadecimal: stands for everything before it.
    pub hash: String,
    /// Current assets, counted once for each slice that lists them.
    pub assets: u64,
    /// Versions of assets, removals included.
    pub versions: u64,
    /// Slices ever collected.
    pub slices: u64,
    /// What the ledger holds: findings, runs, exceptions and the like.
    pub ledger: u64,
    /// Bytes of the image of the graph that is kept beside them; nothing where there is none.
    pub image: Option<u64>,
    /// What the next open will put right by itself without losing anything, one line each.
    pub notes: Vec<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Something that is wrong with a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder, and where in it.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Checks the store in `dir`, which nobody may have open.
///
/// # Errors
/// Where there is no store, it is in use, another version wrote it, or its files can't be read at all; damage is in
/// the report.
pub fn verify(dir: &Path) -> Result<VerifyReport, StoreError> {
    let folder = Folder::new(dir);
    let absent = || StoreError::Absent { dir: dir.to_owned() };
    if !dir.is_dir() || !folder.has_store()? {
        return Err(absent());
    }
    let _lock = Lock::take(dir)?;
    let mut report = VerifyReport { image: image::bytes(&folder), ..VerifyReport::default() };
    if !folder.journal.is_dir() {
        report.problems.push(Problem {
            place: folder.journal.display().to_string(),
            problem: "the journal is missing".to_owned(),
            remedy: "put the folder back from a backup".to_owned(),
        });
        return Ok(report);
    }
    let expected = Expected::read(&folder, &mut report)?;
    if report.is_sound() {
        expected.compare(&folder, &mut report)?;
    }
    Ok(report)
}

/// What the journal says the index should hold.
#[derive(Default)]
struct Expected {
    rows: MemoryRows,
    totals: Totals,
    hashes: Vec<Hash>,
    end: u64,
}

impl Expected {
    fn read(folder: &Folder, report: &mut VerifyReport) -> Result<Self, StoreError> {
        let mut expected = Self::default();
        let mut damages = Vec::new();
        let mut unreadable = None;
        let damage_count = std::cell::Cell::new(0_usize);
        let scan = journal::scan(
            &folder.journal,
            Depth::Whole,
            &mut |damage| {
                damage_count.set(damage_count.get() + 1);
                damages.push(damage);
                Ok(())
            },
            &mut |record| {
                expected.hashes.push(record.hash);
                let position =
                    Position { sequence: record.sequence, segment: record.segment, offset: record.offset };
                if damage_count.get() > 0 || unreadable.is_some() {
                    return Ok(());
                }
                let taken = codec::decode(record)
                    .and_then(|entry| rows::changes(&entry, position, &expected.rows, expected.totals));
                match taken {
                    Ok(changes) => {
                        expected.totals = changes.totals;
                        expected.rows.take(changes);
                    }
                    Err(error) => unreadable = Some((record.segment, error)),
                }
                Ok(())
            },
        )?;
        report.records = scan.records;
        report.segments = scan.segments;
        report.bytes = scan.bytes;
        report.sequence = scan.end.sequence;
        report.hash = blake3::Hash::from_bytes(scan.end.hash).to_hex().to_string();
        let Totals { slices, assets, versions, ledger } = expected.totals;
        (report.slices, report.assets, report.versions, report.ledger) = (slices, assets, versions, ledger);
        report.problems.extend(damages.into_iter().map(describe_damage));
        if let Some((segment, error)) = unreadable {
            report.problems.push(Problem {
                place: format!("{}, segment {segment}", folder.journal.display()),
                problem: error.to_string(),
                remedy: "use the version of the program that wrote it".to_owned(),
            });
        }
        if let Some(tail) = scan.tail {
            report.notes.push(format!(
                "`{}` ends with the beginning of a record that was never confirmed ({} bytes at byte {}): the next \
                 open removes it",
                tail.path.display(),
                tail.bytes,
                tail.offset
            ));
        }
        expected.end = scan.end.sequence;
        Ok(expected)
    }

    fn compare(&self, folder: &Folder, report: &mut VerifyReport) -> Result<(), StoreError> {
        if !folder.index.is_dir() {
            if self.end > 0 {
                report
                    .notes
                    .push("the index is missing: the next open rebuilds it from the journal".to_owned());
            }
            return Ok(());
        }
        if !index::leftovers(&folder.index)?.is_empty() {
            // sled can't be opened beside it, and this is not the place to remove anything.
            report.notes.push(
                "the index has an unfinished snapshot and was not compared: the next open removes it"
                    .to_owned(),
            );
            return Ok(());
        }
        match self.compare_rows(&folder.index) {
            Ok(Compared::Equal) => {}
            Ok(Compared::OtherFormat) => report.notes.push(
                "the index was written by another version: the next open rebuilds it from the journal"
                    .to_owned(),
            ),
            Ok(Compared::Behind(sequence)) => report.notes.push(format!(
                "the index has taken in {sequence} of {} commits: the next open takes in the others",
                self.end
            )),
            Ok(Compared::Ahead(sequence)) => report.problems.push(Problem {
                place: folder.journal.display().to_string(),
                problem: format!(
                    "the journal ends at record {}, but record {sequence} was acknowledged",
                    self.end
                ),
                remedy: "put the journal back from a backup; or open the store, which goes on without it"
                    .to_owned(),
            }),
            Ok(Compared::Different(problem)) => report.problems.push(index_problem(&folder.index, &problem)),
            Err(error) => {
                let cause =
                    std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                report.problems.push(index_problem(&folder.index, &format!("it can't be read ({cause})")));
            }
        }
        Ok(())
    }

    fn compare_rows(&self, path: &Path) -> Result<Compared, StoreError> {
        let index = Index::open(path, CACHE_BYTES)?;
        let meta = index.meta()?;
        if meta.sequence > self.end {
            return Ok(Compared::Ahead(meta.sequence));
        }
        if meta.format != index::FORMAT {
            return Ok(Compared::OtherFormat);
        }
        let last = meta.sequence.checked_sub(1).and_then(|at| self.hashes.get(usize::try_from(at).ok()?));
        if last.is_some_and(|hash| *hash != meta.hash) {
            return Ok(Compared::Different("it belongs to another journal".to_owned()));
        }
        if meta.sequence < self.end {
            return Ok(if index.holds(&meta)? {
                Compared::Behind(meta.sequence)
            } else {
                Compared::Different("rows are missing or damaged".to_owned())
            });
        }
        let mut expected = self.rows.0.iter();
        let (mut rows, mut wrong) = (0_u64, 0_u64);
        let mut next = expected.next();
        index.scan(&[], &mut |key, value| {
            if key == keys::META_KEY {
                return Ok(());
            }
            rows += 1;
            while next.is_some_and(|(wanted, _)| wanted.as_slice() < key) {
                wrong += 1;
                next = expected.next();
            }
            match next {
                Some((wanted, content)) if wanted.as_slice() == key => {
                    wrong += u64::from(content.as_slice() != value);
                    next = expected.next();
                }
                _ => wrong += 1,
            }
            Ok(())
        })?;
        wrong += u64::from(next.is_some()) + expected.count() as u64;
        let wanted = self.rows.0.len();
        Ok(match wrong {
            0 => Compared::Equal,
            _ => Compared::Different(format!("{wrong} rows are wrong ({rows} there, {wanted} expected)")),
        })
    }
}

enum Compared {
    Equal,
    /// It has taken in the records up to this one, and holds them rightly.
    Behind(u64),
    /// It has taken in a record that the journal doesn't have.
    Ahead(u64),
    /// Another version wrote it.
    OtherFormat,
    Different(String),
}

fn index_problem(path: &Path, problem: &str) -> Problem {
    Problem {
        place: path.display().to_string(),
        problem: format!("the index is damaged: {problem}"),
        remedy: "open the store: the index is rebuilt from the journal, nothing is lost".to_owned(),
    }
}

fn describe_damage(error: StoreError) -> Problem {
    match error {
        StoreError::JournalDamaged { segment, offset, sequence, problem } => Problem {
            place: format!("{}, byte {offset}, record {sequence}", segment.display()),
            problem,
            remedy: "put that file back from a backup, or start a new store in another folder".to_owned(),
        },
        other => Problem {
            place: "the journal".to_owned(),
            problem: other.to_string(),
            remedy: "see to the disk and the permissions, then try again".to_owned(),
        },
    }
}
