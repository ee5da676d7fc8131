//! Edges of one relation from one table to one other, in both directions, as compressed rows: the neighbours of a row
//! are one slice, ascending and distinct.

/// The neighbours of each row of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// Where each row's slice begins, and at the end the number of edges.
    offsets: Vec<u32>,
    rows: Vec<u32>,
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
        Some(Self { offsets, rows: neighbours })
    }

    /// The neighbours of a row; none beyond the end.
    #[inline]
    pub(crate) fn of(&self, row: u32) -> &[u32] {
        let row = row as usize;
        match (self.offsets.get(row), self.offsets.get(row + 1)) {
            (Some(&start), Some(&end)) => self.rows.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// How many edges there are.
    pub(crate) fn edges(&self) -> usize {
        self.rows.len()
    }

    /// Whether any row has more than one neighbour.
    pub(crate) fn has_many(&self) -> bool {
        self.offsets.windows(2).any(|bounds| matches!(bounds, [start, end] if end - start > 1))
    }

    /// How many rows this side has.
    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether a row has any neighbour.
    #[inline]
    pub(crate) fn has_any(&self, row: usize) -> bool {
        self.offsets.get(row) < self.offsets.get(row + 1)
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
        Self { offsets, rows }
    }
}

/// Both directions of the edges between two tables.
#[derive(Clone, Debug)]
pub(crate) struct Adjacency {
    /// From each source row to its targets.
    pub(crate) forward: Neighbours,
    /// From each target row to its sources.
    pub(crate) backward: Neighbours,
}

impl Adjacency {
    /// From the forward direction; every target must be below `targets`.
    pub(crate) fn new(forward: Neighbours, targets: usize) -> Self {
        let backward = forward.transpose(targets);
        Self { forward, backward }
    }
}
