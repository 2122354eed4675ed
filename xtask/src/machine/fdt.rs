//! Flattened device trees, taken apart and put together again, to damage them for tests.
//!
//! The kernel's reader must survive any tree; this writer makes trees that lack a node, say
//! something else, or are broken in their bytes. The format is that of the Devicetree
//! Specification 0.4, chapter 5.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The first word of every tree.
pub(crate) const MAGIC: u32 = 0xd00d_feed;
const HEADER_SIZE: usize = 40;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;
const VERSION: u32 = 17;
const LAST_COMPATIBLE: u32 = 16;
/// The header's fields in their order; each is one big-endian word.
const FIELDS: [&str; 10] = [
    "magic",
    "totalsize",
    "off_dt_struct",
    "off_dt_strings",
    "off_mem_rsvmap",
    "version",
    "last_comp_version",
    "boot_cpuid_phys",
    "size_dt_strings",
    "size_dt_struct",
];

/// A whole tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceTree {
    /// The memory reservations: address and size.
    pub(crate) reservations: Vec<(u64, u64)>,
    /// The node `/`.
    pub(crate) root: Node,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its name with the unit address; empty for the root.
    pub(crate) name: String,
    /// Its properties in order.
    pub(crate) properties: Vec<(String, Vec<u8>)>,
    /// Its children in order.
    pub(crate) children: Vec<Node>,
}

/// What is done to a tree before the kernel sees it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edits {
    /// Nodes that are taken out, by their full path.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    /// Properties that are set.
    #[serde(default)]
    pub(crate) set: Vec<SetProperty>,
    /// Header fields that are overwritten in the finished bytes, by their name in the specification.
    #[serde(default)]
    pub(crate) header: std::collections::BTreeMap<String, u32>,
    /// Bytes that are overwritten in the finished tree.
    #[serde(default)]
    pub(crate) poke: Vec<Poke>,
    /// The number of bytes that are left of the finished tree.
    pub(crate) truncate: Option<usize>,
}

/// One property that is set or, with no value, taken out.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetProperty {
    /// The node's full path.
    pub(crate) node: String,
    /// The property's name.
    pub(crate) property: String,
    /// Its value, as text.
    pub(crate) text: Option<String>,
    /// Its value, as 32-bit cells.
    pub(crate) cells: Option<Vec<u32>>,
}

/// Bytes that are overwritten.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Poke {
    /// Where, from the tree's start.
    pub(crate) at: usize,
    /// With what.
    pub(crate) bytes: Vec<u8>,
}

impl DeviceTree {
    /// Takes a tree apart.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        if word(bytes, 0)? != MAGIC {
            bail!("this is no device tree: it does not begin with {MAGIC:#x}");
        }
        let total = size(bytes, 4)?;
        let bytes = bytes
            .get(..total)
            .context("the device tree is shorter than its header says")?;
        let mut reader = Reader {
            bytes,
            at: size(bytes, 8)?,
            strings: size(bytes, 12)?,
        };
        let mut reservations = Vec::new();
        let mut at = size(bytes, 16)?;
        loop {
            let entry = (long(bytes, at)?, long(bytes, at + 8)?);
            if entry == (0, 0) {
                break;
            }
            reservations.push(entry);
            at += 16;
        }
        if reader.token()? != BEGIN_NODE {
            bail!("the device tree does not begin with its root node");
        }
        Ok(Self {
            reservations,
            root: reader.node(0)?,
        })
    }

    /// Puts the tree together.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut strings = Vec::new();
        let mut structure = Vec::new();
        self.root.write(&mut structure, &mut strings);
        structure.extend(END.to_be_bytes());

        let mut reserved = Vec::new();
        for (address, length) in self.reservations.iter().chain([&(0, 0)]) {
            reserved.extend(address.to_be_bytes());
            reserved.extend(length.to_be_bytes());
        }
        let structure_at = HEADER_SIZE + reserved.len();
        let strings_at = structure_at + structure.len();
        let total = strings_at + strings.len();
        let header = [
            MAGIC,
            small(total),
            small(structure_at),
            small(strings_at),
            small(HEADER_SIZE),
            VERSION,
            LAST_COMPATIBLE,
            0,
            small(strings.len()),
            small(structure.len()),
        ];
        let mut bytes: Vec<u8> = header
            .iter()
            .flat_map(|field| field.to_be_bytes())
            .collect();
        bytes.extend(reserved);
        bytes.extend(structure);
        bytes.extend(strings);
        bytes
    }

    /// The node at a full path such as `/cpus/cpu@0`.
    pub(crate) fn node_mut(&mut self, path: &str) -> Option<&mut Node> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .try_fold(&mut self.root, |node, part| {
                node.children.iter_mut().find(|child| child.name == part)
            })
    }

    /// The value of a property.
    pub(crate) fn property(&self, path: &str, property: &str) -> Option<&[u8]> {
        let node = path
            .split('/')
            .filter(|part| !part.is_empty())
            .try_fold(&self.root, |node, part| {
                node.children.iter().find(|child| child.name == part)
            })?;
        node.properties
            .iter()
            .find(|(name, _)| name == property)
            .map(|(_, value)| value.as_slice())
    }

    fn remove(&mut self, path: &str) -> Result<()> {
        let (parent, name) = path
            .rsplit_once('/')
            .with_context(|| format!("the path {path:?} does not begin with /"))?;
        let node = self
            .node_mut(parent)
            .with_context(|| format!("the device tree has no node {parent:?}"))?;
        let before = node.children.len();
        node.children.retain(|child| child.name != name);
        if node.children.len() == before {
            bail!("the device tree has no node {path:?} to remove");
        }
        Ok(())
    }

    fn set(&mut self, change: &SetProperty) -> Result<()> {
        let node = self
            .node_mut(&change.node)
            .with_context(|| format!("the device tree has no node {:?}", change.node))?;
        let value = match (&change.text, &change.cells) {
            (Some(text), None) => Some([text.as_bytes(), &[0]].concat()),
            (None, Some(cells)) => Some(cells.iter().flat_map(|cell| cell.to_be_bytes()).collect()),
            (None, None) => None,
            (Some(_), Some(_)) => bail!(
                "the property {:?} is given both text and cells",
                change.property
            ),
        };
        let place = node
            .properties
            .iter()
            .position(|(name, _)| *name == change.property);
        match (place, value) {
            (Some(place), Some(value)) => node.properties[place].1 = value,
            (Some(place), None) => drop(node.properties.remove(place)),
            (None, Some(value)) => node.properties.push((change.property.clone(), value)),
            (None, None) => bail!(
                "{:?} has no property {:?} to remove",
                change.node,
                change.property
            ),
        }
        Ok(())
    }
}

impl Edits {
    /// Makes the damaged tree out of a whole one.
    pub(crate) fn apply(&self, original: &[u8]) -> Result<Vec<u8>> {
        let mut tree = DeviceTree::parse(original)?;
        for path in &self.remove {
            tree.remove(path)?;
        }
        for change in &self.set {
            tree.set(change)?;
        }
        let mut bytes = tree.to_bytes();
        for (field, value) in &self.header {
            let index = FIELDS.iter().position(|known| known == field);
            let at = index
                .with_context(|| format!("a device tree's header has no field {field:?}"))?
                * 4;
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
        for poke in &self.poke {
            let place = bytes.get_mut(poke.at..poke.at + poke.bytes.len());
            place
                .with_context(|| format!("byte {} is beyond the tree", poke.at))?
                .copy_from_slice(&poke.bytes);
        }
        if let Some(length) = self.truncate {
            bytes.truncate(length);
        }
        Ok(bytes)
    }
}

impl Node {
    fn write(&self, structure: &mut Vec<u8>, strings: &mut Vec<u8>) {
        structure.extend(BEGIN_NODE.to_be_bytes());
        structure.extend(self.name.as_bytes());
        structure.push(0);
        pad(structure);
        for (name, value) in &self.properties {
            structure.extend(PROPERTY.to_be_bytes());
            structure.extend(small(value.len()).to_be_bytes());
            structure.extend(small(intern(strings, name)).to_be_bytes());
            structure.extend(value);
            pad(structure);
        }
        for child in &self.children {
            child.write(structure, strings);
        }
        structure.extend(END_NODE.to_be_bytes());
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    strings: usize,
}

impl Reader<'_> {
    fn word(&mut self) -> Result<u32> {
        let value = word(self.bytes, self.at)?;
        self.at += 4;
        Ok(value)
    }

    fn token(&mut self) -> Result<u32> {
        loop {
            match self.word()? {
                NOP => {}
                token => return Ok(token),
            }
        }
    }

    /// The rest of a node whose `BEGIN_NODE` was read.
    fn node(&mut self, depth: usize) -> Result<Node> {
        if depth > 64 {
            bail!("the device tree is nested too deeply");
        }
        let mut node = Node {
            name: text(self.bytes, self.at)?,
            ..Node::default()
        };
        self.at = (self.at + node.name.len() + 1).next_multiple_of(4);
        loop {
            match self.token()? {
                PROPERTY => {
                    let length = usize::try_from(self.word()?)?;
                    let name = text(self.bytes, self.strings + usize::try_from(self.word()?)?)?;
                    let value = self
                        .bytes
                        .get(self.at..self.at + length)
                        .context("a property goes beyond the tree")?;
                    node.properties.push((name, value.to_vec()));
                    self.at = (self.at + length).next_multiple_of(4);
                }
                BEGIN_NODE => node.children.push(self.node(depth + 1)?),
                END_NODE => return Ok(node),
                other => bail!("the device tree has the unknown token {other}"),
            }
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32> {
    let chunk = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .context("the device tree ends too early")?;
    Ok(u32::from_be_bytes(*chunk))
}

fn long(bytes: &[u8], at: usize) -> Result<u64> {
    let chunk = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .context("the device tree ends too early")?;
    Ok(u64::from_be_bytes(*chunk))
}

fn size(bytes: &[u8], at: usize) -> Result<usize> {
    Ok(usize::try_from(word(bytes, at)?)?)
}

fn text(bytes: &[u8], at: usize) -> Result<String> {
    let rest = bytes
        .get(at..)
        .context("a name lies beyond the device tree")?;
    let end = rest
        .iter()
        .position(|byte| *byte == 0)
        .context("a name in the device tree has no end")?;
    Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn intern(strings: &mut Vec<u8>, name: &str) -> usize {
    let entry = [name.as_bytes(), &[0]].concat();
    let known = strings
        .windows(entry.len())
        .enumerate()
        .find(|(at, window)| *window == entry && (*at == 0 || strings[at - 1] == 0));
    if let Some((at, _)) = known {
        return at;
    }
    strings.extend(entry);
    strings.len() - name.len() - 1
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("a device tree is far below 4 GiB")
}

#[cfg(test)]
mod tests;
