//! Functions of ARM64 in the form that packed unwind data can describe, written as Microsoft's "ARM64 exception handling"
//! tells it step by step.

use std::fmt::Write;

/// What the fields of a packed entry say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Saved registers from x19 on.
    pub(crate) integers: u32,
    /// Saved registers from d8 on: none, or at least 2.
    pub(crate) floats: u32,
    pub(crate) homes: bool,
    /// 0 unchained, 1 unchained with lr, 2 chained and signed, 3 chained.
    pub(crate) chain: u32,
    /// Bytes of the frame behind the saved registers.
    pub(crate) rest: u32,
}

/// Prolog and epilog as they are written: each line with its directive.
#[derive(Default)]
struct Text {
    prolog: Vec<String>,
    epilog: Vec<String>,
}

impl Text {
    /// Adds an instruction of the prolog and its mirror.
    fn both(&mut self, prolog: String, epilog: String, directive: &str) {
        self.prolog.push(format!("    {prolog}\n    {directive}\n"));
        self.epilog.push(format!("    {epilog}\n    {directive}\n"));
    }

    /// Adds an instruction that only the prolog has.
    fn prolog(&mut self, instruction: &str, directive: &str) {
        self.prolog
            .push(format!("    {instruction}\n    {directive}\n"));
    }

    /// Saves registers, the first time taking `size` bytes of the stack.
    fn save(&mut self, names: &[String], directive: &str, offset: u32, size: Option<u32>) {
        let (store, load) = if names.len() == 2 {
            ("stp", "ldp")
        } else {
            ("str", "ldr")
        };
        let list = names.join(", ");
        let first = &names[0];
        match size {
            Some(size) => self.both(
                format!("{store} {list}, [sp, #-{size}]!"),
                format!("{load} {list}, [sp], #{size}"),
                &format!(".seh_{directive}_x {first}, {size}"),
            ),
            None => self.both(
                format!("{store} {list}, [sp, #{offset}]"),
                format!("{load} {list}, [sp, #{offset}]"),
                &format!(".seh_{directive} {first}, {offset}"),
            ),
        }
    }

    fn allocate(&mut self, bytes: u32) {
        let mut steps = vec![bytes];
        if bytes > 4080 {
            steps = vec![4080, bytes - 4080];
        }
        for step in steps {
            self.both(
                format!("sub sp, sp, #{step}"),
                format!("add sp, sp, #{step}"),
                &format!(".seh_stackalloc {step}"),
            );
        }
    }
}

impl Shape {
    /// Bytes of the saved registers, and of the arguments' homes.
    pub(crate) fn save_size(self) -> u32 {
        let lr = u32::from(self.chain == 1);
        let homes = if self.homes { 8 } else { 0 };
        ((self.integers + lr + self.floats + homes) * 8).next_multiple_of(16)
    }

    /// The second word of a packed entry of a function with so many bytes.
    pub(crate) fn packed(self, length: u32) -> u32 {
        let floats = self.floats.saturating_sub(1);
        let frame = (self.save_size() + self.rest) / 16;
        let fields = [
            (1, 0),
            (length / 4, 2),
            (floats, 13),
            (self.integers, 16),
            (u32::from(self.homes), 20),
            (self.chain, 21),
            (frame, 23),
        ];
        fields
            .iter()
            .fold(0, |word, (value, shift)| word | value << shift)
    }

    fn text(self) -> Text {
        let mut text = Text::default();
        let size = self.save_size();
        let mut room = Some(size);
        let mut offset = 0;
        let x = |number: u32| format!("x{}", 19 + number);
        if self.chain == 2 {
            text.both("pacibsp".into(), "autibsp".into(), ".seh_pac_sign_lr");
        }
        let saves_lr = self.chain == 1;
        let lr = || "lr".to_owned();
        if saves_lr && self.integers == 1 {
            text.allocate(size);
            room = None;
        }
        for pair in 0..self.integers / 2 {
            text.save(
                &[x(pair * 2), x(pair * 2 + 1)],
                "save_regp",
                offset,
                room.take(),
            );
            offset += 16;
        }
        if self.integers % 2 == 1 {
            let last = x(self.integers - 1);
            if saves_lr {
                text.save(&[last, lr()], "save_lrpair", offset, None);
                offset += 16;
            } else {
                text.save(&[last], "save_reg", offset, room.take());
                offset += 8;
            }
        } else if saves_lr {
            text.save(&[lr()], "save_reg", offset, room.take());
            offset += 8;
        }
        let d = |number: u32| format!("d{}", 8 + number);
        for pair in 0..self.floats / 2 {
            text.save(
                &[d(pair * 2), d(pair * 2 + 1)],
                "save_fregp",
                offset,
                room.take(),
            );
            offset += 16;
        }
        if self.floats % 2 == 1 {
            text.save(&[d(self.floats - 1)], "save_freg", offset, room.take());
            offset += 8;
        }
        if self.homes {
            for pair in 0..4 {
                let (first, second) = (pair * 2, pair * 2 + 1);
                let place = offset + pair * 16;
                text.prolog(
                    &format!("stp x{first}, x{second}, [sp, #{place}]"),
                    ".seh_nop",
                );
            }
        }
        self.rest(&mut text);
        text
    }

    /// The rest of the frame.
    fn rest(self, text: &mut Text) {
        let rest = self.rest;
        match self.chain {
            0 | 1 if rest > 0 => text.allocate(rest),
            2 | 3 => {
                if rest <= 512 {
                    text.both(
                        format!("stp x29, lr, [sp, #-{rest}]!"),
                        format!("ldp x29, lr, [sp], #{rest}"),
                        &format!(".seh_save_fplr_x {rest}"),
                    );
                } else {
                    text.allocate(rest);
                    text.both(
                        "stp x29, lr, [sp]".into(),
                        "ldp x29, lr, [sp]".into(),
                        ".seh_save_fplr 0",
                    );
                }
                text.prolog("mov x29, sp", ".seh_set_fp");
            }
            _ => {}
        }
    }

    /// The function in assembly language.
    pub(crate) fn assembly(self, number: usize) -> String {
        let text = self.text();
        let mut all = String::new();
        writeln!(all, "f{number}:\n    .seh_proc f{number}").unwrap();
        all.extend(text.prolog);
        // A call, so that the link register is used up.
        all.push_str(
            "    .seh_endprologue\n    nop\n    bl callee\n    nop\n    .seh_startepilogue\n",
        );
        all.extend(text.epilog.into_iter().rev());
        all.push_str("    .seh_endepilogue\n    ret\n    .seh_endproc\n");
        all
    }
}

/// Every combination of the fields, with frames on both sides of each limit.
pub(crate) fn shapes() -> Vec<Shape> {
    let mut all = Vec::new();
    for integers in 0..=10 {
        for floats in [0, 2, 3, 4, 5, 6, 7, 8] {
            for homes in [false, true] {
                for chain in 0..4 {
                    for rest in [0, 16, 496, 528, 4080, 4096, 7888] {
                        let shape = Shape {
                            integers,
                            floats,
                            homes,
                            chain,
                            rest,
                        };
                        // A linked frame has a place for the link. Homes alone are no saved registers.
                        let no_link = chain >= 2 && rest == 0;
                        let saves = integers + floats + u32::from(chain == 1) != 0;
                        if !no_link && (saves || !homes) {
                            all.push(shape);
                        }
                    }
                }
            }
        }
    }
    all
}

/// A text with a function of each shape.
pub(crate) fn assembly(shapes: &[Shape]) -> String {
    let mut text = String::from("    .text\n    .globl start\nstart:\ncallee:\n    ret\n");
    for (number, shape) in shapes.iter().enumerate() {
        text.push_str(&shape.assembly(number));
    }
    text
}
