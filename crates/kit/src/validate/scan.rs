//! Reads the protobuf wire format: fields out of bytes, nothing of what they mean.

/// A value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Why bytes are no protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    Truncated,
    VarintTooLong,
    BadKey,
    BadGroup,
    WrongType,
    TooDeep,
}

impl Malformed {
    /// In words, after the name of the field.
    pub fn describe(self) -> &'static str {
        match self {
            Malformed::Truncated => "is cut off: the bytes are not a protobuf message",
            Malformed::VarintTooLong => "holds a varint of more than ten bytes",
            Malformed::BadKey => "is followed by a field key that does not exist",
            Malformed::BadGroup => "holds a group that does not end as it began",
            Malformed::WrongType => "has another type than the proto says",
            Malformed::TooDeep => "is nested too deeply",
        }
    }
}

/// A field's number and value; `None` at the end. A group is skipped and comes as no value.
pub(super) type Next<'a> = Option<(u32, Option<Raw<'a>>)>;

/// Reads fields one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    /// Over the bytes of one message, or of one packed list.
    pub fn new(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner { rest: bytes }
    }

    /// The next field, or the number of the field where the bytes stop making sense (zero if
    /// that is in its key).
    pub fn field(&mut self) -> Result<Next<'a>, (u32, Malformed)> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.key().map_err(|malformed| (0, malformed))?;
        let value = match wire_type {
            3 => self.skip_group(number).map(|()| None),
            _ => self.value(wire_type).map(Some),
        };
        value.map(|value| Some((number, value))).map_err(|malformed| (number, malformed))
    }

    fn key(&mut self) -> Result<(u32, u8), Malformed> {
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed::BadKey)?;
        let wire_type = u8::try_from(key & 7).unwrap_or_default();
        if key >> 3 == 0 || wire_type > 5 {
            return Err(Malformed::BadKey);
        }
        Ok((key >> 3, wire_type))
    }

    fn value(&mut self, wire_type: u8) -> Result<Raw<'a>, Malformed> {
        match wire_type {
            0 => self.varint().map(Raw::Varint),
            1 => self.fixed64().map(Raw::Fixed64),
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| Malformed::Truncated)?;
                self.take(len).map(Raw::Bytes)
            }
            5 => self.fixed32().map(Raw::Fixed32),
            _ => Err(Malformed::BadGroup),
        }
    }

    /// Skips to the end of a group whose start was read. Counts the depth instead of
    /// recursing, so that hostile bytes do not exhaust the stack.
    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            let (number, wire_type) = self.key()?;
            match wire_type {
                3 if open.len() >= super::DEPTH_MAX => return Err(Malformed::TooDeep),
                3 => open.push(number),
                4 if number == innermost => {
                    open.pop();
                }
                4 => return Err(Malformed::BadGroup),
                _ => {
                    self.value(wire_type)?;
                }
            }
        }
        Ok(())
    }

    /// Whether everything has been read.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next varint: at most ten bytes, the last of which holds a single bit.
    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                return Err(Malformed::VarintTooLong);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { Malformed::Truncated } else { Malformed::VarintTooLong })
    }

    /// The next eight bytes, little-endian.
    pub fn fixed64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.take(8)?;
        bytes.try_into().map(u64::from_le_bytes).map_err(|_| Malformed::Truncated)
    }

    /// The next four bytes, little-endian.
    pub fn fixed32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?;
        bytes.try_into().map(u32::from_le_bytes).map_err(|_| Malformed::Truncated)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wire_type_is_read_and_groups_are_skipped() {
        let bytes = [
            0x08, 0x96, 0x01, // 1: varint 150
            0x12, 0x02, b'h', b'i', // 2: bytes
            0x1d, 1, 0, 0, 0, // 3: fixed32
            0x21, 2, 0, 0, 0, 0, 0, 0, 0, // 4: fixed64
            0x2b, 0x08, 0x01, 0x2c, // 5: group { 1: 1 }
        ];
        let mut scanner = Scanner::new(&bytes);
        let mut fields = Vec::new();
        while let Some(field) = scanner.field().unwrap() {
            fields.push(field);
        }
        let expected = vec![
            (1, Some(Raw::Varint(150))),
            (2, Some(Raw::Bytes(b"hi"))),
            (3, Some(Raw::Fixed32(1))),
            (4, Some(Raw::Fixed64(2))),
            (5, None),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn each_malformation_is_named() {
        let table: &[(&[u8], (u32, Malformed))] = &[
            (&[0x80], (0, Malformed::Truncated)),
            (&[0x00], (0, Malformed::BadKey)),
            (&[0x0f], (0, Malformed::BadKey)),
            (&[0x08], (1, Malformed::Truncated)),
            (&[0x12, 0x05, b'x'], (2, Malformed::Truncated)),
            (&[0x1d, 1, 2], (3, Malformed::Truncated)),
            (&[0x0c], (1, Malformed::BadGroup)),
            (&[0x0b, 0x14], (1, Malformed::BadGroup)),
            (&[0x0b], (1, Malformed::Truncated)),
            (&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], {
                (1, Malformed::VarintTooLong)
            }),
        ];
        for (bytes, malformed) in table {
            assert_eq!(Scanner::new(bytes).field(), Err(*malformed), "{bytes:?}");
        }
        let deep = vec![0x0b; super::super::DEPTH_MAX + 1];
        assert_eq!(Scanner::new(&deep).field(), Err((1, Malformed::TooDeep)));
    }
}
