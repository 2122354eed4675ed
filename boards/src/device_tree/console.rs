//! Which serial port the log goes to.
//!
//! The rule, best first:
//!
//! 1. the port that `/chosen/stdout-path` names, if it is a PL011;
//! 2. the port that the alias `serial0` names, if it is a PL011;
//! 3. the port that `stdout-path` names, if it is a mini UART of the Raspberry Pi;
//! 4. the port that `serial0` names, if it is a mini UART;
//! 5. the first PL011 of the tree, then the first mini UART.
//!
//! A port must be available and reachable and have all of its registers. Why the PL011 goes before what the tree
//! chose: the Pi's tree names the mini UART, whose baud rate follows the clock of
//! the graphics processor, while `serial0` is a PL011 with a clock of its own, and
//! the port that QEMU connects first. On the board itself that PL011 serves the
//! Bluetooth chip, unless `config.txt` says `dtoverlay=disable-bt`: Tarn needs that.
//!
//! A machine with a damaged tree must say so somewhere, so the same search runs on
//! whatever a damaged tree still yields.

use super::blob::Blob;
use super::interrupts::Gic;
use super::level::Level;
use super::node::Node;
use super::survey;
use crate::discovery_error::DiscoveryError;
use crate::loader_block::{Console, ConsoleKind};

const PL011: [&str; 1] = ["arm,pl011"];
const MINI_UART: [&str; 1] = ["brcm,bcm2835-aux-uart"];
/// Ranks of a port that nothing names, and of none at all.
const UNNAMED_PL011: u8 = 5;
const UNNAMED_MINI_UART: u8 = 6;
const NO_RANK: u8 = u8::MAX;
/// The fewest bytes of registers that each kind has: up to UARTDMACR, up to AUX_MU_BAUD with its neighbours.
const PL011_LENGTH: u64 = 0x48;
const MINI_UART_LENGTH: u64 = 0x40;
/// After how many ports in a row that no window leads to the search gives up: bounds
/// the work on a tree that is made to be slow.
const MAX_UNREACHABLE: u8 = 32;

/// Finds a console in a tree that may be damaged, truncated or for another machine.
///
/// Meant for saying on the serial line why [`from_device_tree`](super::from_device_tree)
/// failed. `None` if nothing that still can be read is a known serial port.
pub fn console_hint(tree: &[u8]) -> Option<Console> {
    let blob = Blob::open_damaged(tree)?;
    let (mut chosen, mut aliases, mut gic) = (None, None, Gic::default());
    // That the walks end in an error is expected: what came before it counts.
    let _ = blob.visit(&mut |node| {
        match (node.depth(), node.base_name()) {
            (1, "chosen") => chosen = Some(node.level()),
            (1, "aliases") => aliases = Some(node.level()),
            _ if gic.handle.is_none() && survey::is_gic(node) => {
                gic = survey::gic(node).unwrap_or_default();
            }
            _ => {}
        }
        Ok(())
    });
    let mut search = ConsoleSearch::new(chosen, aliases, gic);
    let _ = blob.visit(&mut |node| {
        // A port that cannot be reached is no reason not to look for another.
        let _ = search.look_at(node);
        Ok(())
    });
    search.found()
}

/// The best port so far.
pub(super) struct ConsoleSearch<'a> {
    stdout: Option<&'a str>,
    serial0: Option<&'a str>,
    gic: Gic,
    best: Option<Console>,
    rank: u8,
    unreachable: u8,
}

impl<'a> ConsoleSearch<'a> {
    /// Starts a search with `/chosen` and `/aliases`, as far as they exist.
    pub(super) fn new(chosen: Option<Level<'a>>, aliases: Option<Level<'a>>, gic: Gic) -> Self {
        let alias = |name: &str| aliases?.text(name);
        let stdout = chosen
            .and_then(|chosen| {
                chosen
                    .text("stdout-path")
                    .or_else(|| chosen.text("linux,stdout-path"))
            })
            // Behind a colon stand the options, e.g. `serial0:115200n8`.
            .map(|path| path.split(':').next().unwrap_or(path))
            .and_then(|path| {
                if path.starts_with('/') {
                    Some(path)
                } else {
                    alias(path)
                }
            });
        Self {
            stdout,
            serial0: alias("serial0"),
            gic,
            best: None,
            rank: NO_RANK,
            unreachable: 0,
        }
    }

    /// Considers a node.
    pub(super) fn look_at(&mut self, node: &Node<'_, 'a>) -> Result<(), DiscoveryError> {
        let kind = if node.is_compatible(&PL011) {
            ConsoleKind::Pl011
        } else if node.is_compatible(&MINI_UART) {
            ConsoleKind::Bcm2835Aux
        } else {
            return Ok(());
        };
        let is_at = |path: Option<&str>| path.is_some_and(|path| node.is_at(path));
        let rank = match (kind, is_at(self.stdout), is_at(self.serial0)) {
            (ConsoleKind::Pl011, true, _) => 1,
            (ConsoleKind::Pl011, false, true) => 2,
            (_, true, _) => 3,
            (_, false, true) => 4,
            (ConsoleKind::Pl011, false, false) => UNNAMED_PL011,
            (_, false, false) => UNNAMED_MINI_UART,
        };
        if rank >= self.rank || !node.is_available() || self.unreachable >= MAX_UNREACHABLE {
            return Ok(());
        }
        self.unreachable = self.unreachable.saturating_add(1);
        let least = if kind == ConsoleKind::Pl011 {
            PL011_LENGTH
        } else {
            MINI_UART_LENGTH
        };
        if node.reg(0)?.is_some_and(|range| range.length() < least) {
            return Ok(());
        }
        let registers = node.registers(0, least)?;
        self.unreachable = 0;
        self.rank = rank;
        self.best = Some(Console {
            kind,
            base: registers.start,
            length: registers.length(),
            interrupt: node.gic_interrupt(0, self.gic),
        });
        Ok(())
    }

    /// The port to use.
    pub(super) fn found(self) -> Option<Console> {
        self.best
    }
}
