//! Protocol buffers' encoding of single fields: tags, numbers, bytes with their length.

use crate::error::Fault;

pub(crate) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

/// The highest number a field can have.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Payload<'b> {
    Varint(u64),
    Fixed64(u64),
    /// No type here is encoded so.
    Fixed32,
    Bytes(&'b [u8]),
}

impl<'b> Payload<'b> {
    fn wire_type(self) -> u8 {
        match self {
            Self::Varint(_) => VARINT,
            Self::Fixed64(_) => FIXED64,
            Self::Fixed32 => FIXED32,
            Self::Bytes(_) => BYTES,
        }
    }

    pub(crate) fn bytes(self) -> Result<&'b [u8], Fault> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            other => Err(Fault::WireType(other.wire_type())),
        }
    }

    pub(crate) fn text(self) -> Result<&'b str, Fault> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Fault::NotText)
    }

    pub(crate) fn varint(self) -> Result<u64, Fault> {
        match self {
            Self::Varint(number) => Ok(number),
            other => Err(Fault::WireType(other.wire_type())),
        }
    }

    pub(crate) fn int64(self) -> Result<i64, Fault> {
        self.varint().map(u64::cast_signed)
    }

    /// Negative numbers have all 64 bits; some encoders send 32 of them.
    pub(crate) fn int32(self) -> Result<i32, Fault> {
        let number = self.varint()?;
        match u32::try_from(number) {
            Ok(number) => Ok(number.cast_signed()),
            Err(_) => i32::try_from(number.cast_signed()).map_err(|_| Fault::OutOfRange),
        }
    }

    pub(crate) fn double(self) -> Result<f64, Fault> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            other => Err(Fault::WireType(other.wire_type())),
        }
    }
}

/// Takes the next field off the front of a message.
pub(crate) fn next<'b>(bytes: &mut &'b [u8]) -> Result<Option<(u32, Payload<'b>)>, (u32, Fault)> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let tag = varint(bytes).map_err(|fault| (0, fault))?;
    let number = u32::try_from(tag >> 3)
        .ok()
        .filter(|number| (1..=MAX_NUMBER).contains(&u64::from(*number)))
        .ok_or((0, Fault::FieldNumber))?;
    let payload = payload(bytes, (tag & 7) as u8).map_err(|fault| (number, fault))?;
    Ok(Some((number, payload)))
}

fn payload<'b>(bytes: &mut &'b [u8], wire_type: u8) -> Result<Payload<'b>, Fault> {
    match wire_type {
        VARINT => varint(bytes).map(Payload::Varint),
        FIXED64 => {
            let (head, rest) = bytes.split_first_chunk().ok_or(Fault::CutShort)?;
            *bytes = rest;
            Ok(Payload::Fixed64(u64::from_le_bytes(*head)))
        }
        FIXED32 => {
            *bytes = bytes.get(4..).ok_or(Fault::CutShort)?;
            Ok(Payload::Fixed32)
        }
        BYTES => {
            let length = usize::try_from(varint(bytes)?).map_err(|_| Fault::CutShort)?;
            let (head, rest) = bytes.split_at_checked(length).ok_or(Fault::CutShort)?;
            *bytes = rest;
            Ok(Payload::Bytes(head))
        }
        other => Err(Fault::WireType(other)),
    }
}

/// Takes a number off the front.
pub(crate) fn varint(bytes: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && *byte > 1 {
            return Err(Fault::LongNumber);
        }
        number |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            *bytes = &bytes[index + 1..];
            return Ok(number);
        }
    }
    Err(if bytes.len() < 10 { Fault::CutShort } else { Fault::LongNumber })
}

/// Writes a number.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(low(number) | 0x80);
        number >>= 7;
    }
    out.push(low(number));
}

/// The last seven bits.
#[allow(clippy::cast_possible_truncation, reason = "seven bits fit")]
fn low(number: u64) -> u8 {
    (number & 0x7f) as u8
}

fn put_tag(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Writes a field that is a number.
pub(crate) fn put_number(out: &mut Vec<u8>, field: u32, number: u64) {
    put_tag(out, field, VARINT);
    put_varint(out, number);
}

/// Writes a field that is a floating-point number.
pub(crate) fn put_double(out: &mut Vec<u8>, field: u32, number: f64) {
    put_tag(out, field, FIXED64);
    out.extend_from_slice(&number.to_bits().to_le_bytes());
}

/// Writes a field that is text or bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_length(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// Writes the beginning of a field whose content, of this length, follows.
pub(crate) fn put_length(out: &mut Vec<u8>, field: u32, length: usize) {
    put_tag(out, field, BYTES);
    put_varint(out, length as u64);
}

/// Begins a field whose length is not known yet; [`close`] takes what this returns.
pub(crate) fn open(out: &mut Vec<u8>, field: u32) -> usize {
    put_tag(out, field, BYTES);
    out.push(0);
    out.len()
}

/// Writes the length of what came since [`open`], moving it when the length takes several bytes.
pub(crate) fn close(out: &mut Vec<u8>, start: usize) {
    let length = out.len() - start;
    let mut left = length as u64;
    let mut more = 0;
    while left >> (7 * (more + 1)) > 0 {
        more += 1;
    }
    if more > 0 {
        out.resize(out.len() + more, 0);
        out.copy_within(start..start + length, start + more);
    }
    for place in &mut out[start - 1..start + more] {
        *place = low(left) | 0x80;
        left >>= 7;
    }
    out[start + more - 1] &= 0x7f;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_come_back() {
        for number in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1]).chain([u64::MAX]) {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            let mut rest = &*out;
            assert_eq!((varint(&mut rest), rest.len()), (Ok(number), 0));
        }
    }

    #[test]
    fn a_length_that_was_left_open_is_written_in_the_end() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_152] {
            let mut out = vec![9];
            let start = open(&mut out, 3);
            out.resize(start + length, 7);
            close(&mut out, start);
            let mut expected = vec![9];
            put_bytes(&mut expected, 3, &vec![7; length]);
            assert!(out == expected, "{length}");
        }
    }

    #[test]
    fn fields_that_make_no_sense_are_refused() {
        let cases: [(&[u8], (u32, Fault)); 8] = [
            (&[0x80], (0, Fault::CutShort)),
            (&[0xff; 11], (0, Fault::LongNumber)),
            (&[0x00, 0x00], (0, Fault::FieldNumber)),
            (&[0x0a, 0x02, 0x01], (1, Fault::CutShort)),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], (1, Fault::CutShort)),
            (&[0x09, 0x00], (1, Fault::CutShort)),
            (&[0x0d, 0x00], (1, Fault::CutShort)),
            (&[0x0b], (1, Fault::WireType(3))),
        ];
        for (bytes, error) in cases {
            assert_eq!(next(&mut &*bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn a_negative_number_of_32_bits_may_be_sent_with_as_many() {
        assert_eq!(Payload::Varint(u64::MAX).int32(), Ok(-1));
        assert_eq!(Payload::Varint(u64::from(u32::MAX)).int32(), Ok(-1));
        assert_eq!(Payload::Varint(1 << 40).int32(), Err(Fault::OutOfRange));
    }
}
