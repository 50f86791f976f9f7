//! One file in the page cache: what readers see, what is durable, and the changes in between.

use std::collections::BTreeMap;
use std::io;

use crate::disk::memory;
use crate::random::Random;

/// What a device writes as a whole.
const SECTOR_BYTES: usize = 512;

/// A file of a faulty disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Cached {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

/// What was done to a file.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Bytes were put somewhere, or only the first of them, because the disk was full.
    Write { offset: u64, bytes: Vec<u8>, is_cut_short: bool },
    /// It was cut or extended.
    Length(u64),
}

impl Change {
    /// The part of it that fits in the `length` a file has; `None` when nothing does.
    pub(super) fn within(self, length: u64) -> Option<Self> {
        match self {
            Self::Length(new) => (new <= length).then_some(Self::Length(new)),
            Self::Write { offset, mut bytes, .. } => {
                let room = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
                let is_cut_short = room < bytes.len();
                bytes.truncate(room);
                (!bytes.is_empty()).then_some(Self::Write { offset, bytes, is_cut_short })
            }
        }
    }

    fn apply(&self, contents: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Write { offset, bytes, .. } => memory::write(contents, bytes, *offset),
            Self::Length(length) => {
                contents.resize(memory::index(*length)?, 0);
                Ok(())
            }
        }
    }

    /// The sectors whose bytes it changes in a file of `length` bytes; growth changes none.
    fn sectors(&self, length: usize) -> std::ops::Range<usize> {
        let (from, to) = match self {
            Self::Write { offset, bytes, .. } => {
                let from = position(*offset);
                (from, from + bytes.len())
            }
            Self::Length(new) => (position(*new), length),
        };
        if from < to { from / SECTOR_BYTES..to.div_ceil(SECTOR_BYTES) } else { 0..0 }
    }

    /// Does to one sector what it does to the file.
    fn apply_to_sector(&self, sector: usize, contents: &mut [u8; SECTOR_BYTES]) {
        let start = sector * SECTOR_BYTES;
        match self {
            Self::Write { offset, bytes, .. } => {
                let offset = position(*offset);
                let from = offset.max(start);
                let to = (offset + bytes.len()).min(start + SECTOR_BYTES);
                if from < to {
                    contents[from - start..to - start].copy_from_slice(&bytes[from - offset..to - offset]);
                }
            }
            Self::Length(length) => {
                let keep = position(*length).saturating_sub(start).min(SECTOR_BYTES);
                contents[keep..].fill(0);
            }
        }
    }
}

/// How the pending changes of one file fare in one power cut.
enum Fate {
    /// The first of them happened; of the next one, some sectors.
    Prefix(usize),
    /// Every sector, and the length, is in any of the states it went through.
    Scattered,
}

impl Cached {
    /// A file that is all durable.
    pub(super) fn durable(contents: Vec<u8>) -> Self {
        Self { seen: contents.clone(), durable: contents, pending: Vec::new() }
    }

    pub(super) fn length(&self) -> u64 {
        self.seen.len() as u64
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        memory::read(&self.seen, buffer, offset)
    }

    /// Does `change`; `false` when it was cut short.
    pub(super) fn apply(&mut self, change: Change) -> io::Result<bool> {
        change.apply(&mut self.seen)?;
        let was_done = !matches!(change, Change::Write { is_cut_short: true, .. });
        self.pending.push(change);
        Ok(was_done)
    }

    /// Makes everything pending durable.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            // What fitted into `seen` fits here.
            let _fits = change.apply(&mut self.durable);
        }
    }

    /// Forgets that some of the pending changes are not durable; the others become so.
    pub(super) fn lose_some(&mut self, random: &mut Random) {
        self.pending.retain(|_| random.chance(0.5));
        self.sync();
    }

    /// What a power cut leaves.
    pub(super) fn surviving(&self, random: &mut Random) -> Vec<u8> {
        let count = self.pending.len();
        let fate = match random.below(4) {
            0 => Fate::Prefix(0),
            1 => Fate::Prefix(count),
            2 => Fate::Prefix(usize::try_from(random.below(count as u64 + 1)).unwrap_or(0)),
            _ => Fate::Scattered,
        };
        let lengths = self.lengths();
        let length_after = match fate {
            Fate::Prefix(done) => done + usize::from(done < count && random.chance(0.5)),
            Fate::Scattered => usize::try_from(random.below(count as u64 + 1)).unwrap_or(0),
        };
        let mut image = self.durable.clone();
        image.resize(lengths.iter().copied().max().unwrap_or(0).next_multiple_of(SECTOR_BYTES), 0);
        for (sector, changes) in self.changes_by_sector(&lengths) {
            // A surviving cut takes all its sectors away, any other takes none.
            let is_cut = |change: usize| matches!(self.pending[change], Change::Length(_));
            let survives = |change: usize| is_cut(change) && change < length_after;
            let least = changes.iter().rposition(|change| survives(*change)).map_or(0, |index| index + 1);
            let survive = match fate {
                Fate::Prefix(done) => {
                    let whole = changes.iter().filter(|change| **change < done).count();
                    whole + usize::from(changes.get(whole) == Some(&done) && random.chance(0.5))
                }
                Fate::Scattered => usize::try_from(random.below(changes.len() as u64 + 1)).unwrap_or(0),
            };
            let bytes = &mut image[sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES];
            let mut contents = [0; SECTOR_BYTES];
            contents.copy_from_slice(bytes);
            for change in &changes[..survive.max(least)] {
                if survives(*change) || !is_cut(*change) {
                    self.pending[*change].apply_to_sector(sector, &mut contents);
                }
            }
            bytes.copy_from_slice(&contents);
        }
        image.truncate(lengths[length_after]);
        image
    }

    /// The file's length before and after each pending change.
    fn lengths(&self) -> Vec<usize> {
        let mut length = self.durable.len();
        let mut lengths = vec![length];
        for change in &self.pending {
            length = match change {
                Change::Write { offset, bytes, .. } => length.max(position(*offset) + bytes.len()),
                Change::Length(length) => position(*length),
            };
            lengths.push(length);
        }
        lengths
    }

    /// Which pending changes touch which sector, in order.
    fn changes_by_sector(&self, lengths: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let mut sectors: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, change) in self.pending.iter().enumerate() {
            for sector in change.sectors(lengths[index]) {
                sectors.entry(sector).or_default().push(index);
            }
        }
        sectors
    }
}

/// A file position as an index; it was one when the change was made.
fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
