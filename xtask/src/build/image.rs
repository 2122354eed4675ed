//! What a boot loader starts, made from what the linker wrote.

use anyhow::{Context, Result, bail};
use object::elf::{FileHeader64, PT_LOAD, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, LittleEndian};

/// The most that a flat image may span in memory: a stray segment would make a huge file.
const LONGEST_SPAN: u64 = 64 << 20;
/// Where an ELF header keeps the place, size and number of sections.
const SECTION_TABLE: std::ops::Range<usize> = 0x28..0x30;
const SECTION_COUNTS: std::ops::Range<usize> = 0x3a..0x40;

struct Parsed<'e> {
    endian: Endianness,
    segments: &'e [ProgramHeader64<Endianness>],
}

fn parse(elf: &[u8]) -> Result<Parsed<'_>> {
    let wrong = "what the linker wrote is no 64-bit ELF file";
    let header = FileHeader64::<Endianness>::parse(elf).context(wrong)?;
    let endian = header.endian().context(wrong)?;
    Ok(Parsed {
        endian,
        segments: header.program_headers(endian, elf).context(wrong)?,
    })
}

/// The loaded segments as they lie in physical memory, without a header.
pub(super) fn flat(elf: &[u8]) -> Result<Vec<u8>> {
    let Parsed { endian, segments } = parse(elf)?;
    let mut loaded: Vec<(u64, &[u8])> = Vec::new();
    for segment in segments
        .iter()
        .filter(|segment| segment.p_type(endian) == PT_LOAD)
    {
        let data = segment
            .data(endian, elf)
            .ok()
            .context("a segment goes beyond the ELF file")?;
        // Memory that is not in the file is cleared by the kernel itself.
        if !data.is_empty() {
            loaded.push((segment.p_paddr(endian), data));
        }
    }
    loaded.sort_by_key(|(address, _)| *address);
    let Some((base, _)) = loaded.first().copied() else {
        bail!("the ELF file loads nothing: look at the linker script")
    };
    let mut image = Vec::new();
    for (address, data) in loaded {
        let offset = address - base;
        if offset > LONGEST_SPAN {
            bail!(
                "a segment at {address:#x} lies far from the first at {base:#x}: look at the linker script"
            );
        }
        let offset = usize::try_from(offset).context("a segment lies too far away")?;
        if offset < image.len() {
            bail!("two segments overlap at {address:#x}: look at the linker script");
        }
        image.resize(offset, 0);
        image.extend(data);
    }
    Ok(image)
}

/// The ELF file without sections, symbols and debug information.
pub(super) fn stripped(elf: &[u8]) -> Result<Vec<u8>> {
    let Parsed { endian, segments } = parse(elf)?;
    let header = FileHeader64::<LittleEndian>::parse(elf)
        .ok()
        .context("only little-endian ELF files are built")?;
    let table = header.e_phoff(LittleEndian) + u64::from(header.e_phnum(LittleEndian)) * 56;
    let ends = segments
        .iter()
        .map(|segment| segment.p_offset(endian) + segment.p_filesz(endian));
    let end =
        usize::try_from(ends.max().unwrap_or(0).max(table)).context("the ELF file is too large")?;
    let mut image = elf
        .get(..end)
        .context("a segment goes beyond the ELF file")?
        .to_vec();
    image[SECTION_TABLE].fill(0);
    image[SECTION_COUNTS].fill(0);
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file with these segments: type, physical address, bytes, size in memory.
    fn elf(segments: &[(u32, u64, &[u8], u64)]) -> Vec<u8> {
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        file.resize(16, 0);
        file.extend(2_u16.to_le_bytes());
        file.extend(183_u16.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        for word in [0x1000_u64, 64, 0x7777] {
            file.extend(word.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        for half in [64, 56, u16::try_from(segments.len()).unwrap(), 64, 9, 8] {
            file.extend(half.to_le_bytes());
        }
        let mut offset = (64 + 56 * segments.len()) as u64;
        for (kind, address, data, memory) in segments {
            file.extend(kind.to_le_bytes());
            file.extend(5_u32.to_le_bytes());
            for word in [
                offset,
                address + 0xffff_0000_0000_0000,
                *address,
                data.len() as u64,
                *memory,
                8,
            ] {
                file.extend(word.to_le_bytes());
            }
            offset += data.len() as u64;
        }
        for (_, _, data, _) in segments {
            file.extend(*data);
        }
        file.extend(b"sections and debug information");
        file
    }

    #[test]
    fn segments_by_physical_address_with_gaps() {
        let file = elf(&[
            (1, 0x2008, b"data", 100),
            (1, 0x2000, b"text", 4),
            (4, 0x9000, b"note", 4),
            (1, 0x3000, b"", 50),
        ]);
        assert_eq!(flat(&file).unwrap(), b"text\0\0\0\0data");
    }

    #[test]
    fn nonsense_is_refused() {
        for (segments, words) in [
            (
                &[(1, 0x2000, b"text".as_slice(), 4), (1, 0x2002, b"data", 4)][..],
                "overlap",
            ),
            (
                &[(1, 0x2000, b"text", 4), (1, 0xffff_0000, b"data", 4)],
                "far from",
            ),
            (&[(4, 0x2000, b"note", 4)], "loads nothing"),
        ] {
            let said = flat(&elf(segments)).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        assert!(flat(b"no ELF").is_err());
        let whole = elf(&[(1, 0x2000, b"text", 4)]);
        for length in 0..whole.len() - 31 {
            drop(flat(&whole[..length]));
            drop(stripped(&whole[..length]));
        }
    }

    #[test]
    fn stripping_keeps_segments() {
        let whole = elf(&[(1, 0x2000, b"text", 4), (4, 0x9000, b"note", 4)]);
        let short = stripped(&whole).unwrap();
        assert!(short.ends_with(b"note") && short.len() < whole.len());
        assert_eq!(flat(&short).unwrap(), b"text");
        let file = object::File::parse(&*short).unwrap();
        assert_eq!(object::Object::sections(&file).count(), 0);
    }
}
