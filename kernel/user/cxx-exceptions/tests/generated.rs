//! Functions of nested blocks that nobody wrote, compiled by clang for both machines, with exceptions thrown at their calls:
//! which block catches, what is destroyed and in which order, when exceptions are over. The expectation is a model of what
//! the C++ standard says about the source, which knows nothing of states and tables.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::fmt::Write;

use support::image::Mapped;
use support::tools::{Built, Target};
use support::walk::{Event, Walk, What};

/// What is thrown: `Derived` is derived from `Base`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Int,
    Base,
    Derived,
    Double,
}

/// What a block takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taken {
    Int,
    Base,
    Derived,
    Everything,
}

impl Taken {
    fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Int => kind == Kind::Int,
            Self::Base => matches!(kind, Kind::Base | Kind::Derived),
            Self::Derived => kind == Kind::Derived,
            Self::Everything => true,
        }
    }

    fn written(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Base => "Base &",
            Self::Derived => "Derived &",
            Self::Everything => "...",
        }
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Int, Self::Base, Self::Derived, Self::Double];

    /// The compiler's name for the description of its throw.
    fn description(self) -> &'static str {
        match self {
            Self::Int => "_TI1H",
            Self::Base => "_TI1?AUBase@@",
            Self::Derived => "_TI2?AUDerived@@",
            Self::Double => "_TI1N",
        }
    }

    fn has_destructor(self) -> bool {
        matches!(self, Self::Base | Self::Derived)
    }
}

enum Statement {
    /// A variable with a destructor.
    Local(u32),
    /// A call, at which something may be thrown.
    Call(u32),
    Block(Vec<Statement>),
    Try(Vec<Statement>, Vec<(Taken, Vec<Statement>)>),
}

/// Numbers that nobody guesses: a generator of Marsaglia's.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 20) % u64::from(end)).unwrap()
    }
}

/// Makes functions.
struct Maker {
    random: Random,
    locals: u32,
    calls: u32,
}

/// The most variables that a program may have: each has a class of its own.
const CLASSES: u32 = 400;

impl Maker {
    fn statements(&mut self, depth: u32) -> Vec<Statement> {
        let count = 1 + self.random.below(4);
        (0..count).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: u32) -> Statement {
        match self.random.below(10) {
            0..=2 if self.locals + 1 < CLASSES => {
                self.locals += 1;
                Statement::Local(self.locals)
            }
            6 if depth > 0 => Statement::Block(self.statements(depth - 1)),
            7..=9 if depth > 0 => {
                let body = self.statements(depth - 1);
                let mut catches = Vec::new();
                let count = 1 + self.random.below(3);
                for number in 0..count {
                    let taken = match self.random.below(4) {
                        0 => Taken::Int,
                        1 => Taken::Base,
                        2 => Taken::Derived,
                        // It must be the last one.
                        _ if number + 1 == count => Taken::Everything,
                        _ => Taken::Int,
                    };
                    // The first statement tells which block it is.
                    let mut block = vec![self.call()];
                    block.extend(self.statements(depth - 1));
                    catches.push((taken, block));
                }
                Statement::Try(body, catches)
            }
            _ => self.call(),
        }
    }

    fn call(&mut self) -> Statement {
        self.calls += 1;
        Statement::Call(self.calls)
    }
}

fn write(statements: &[Statement], text: &mut String) {
    for statement in statements {
        match statement {
            Statement::Local(class) => writeln!(text, "D{class} d{class};").unwrap(),
            Statement::Call(number) => writeln!(text, "site({number});").unwrap(),
            Statement::Block(inner) => {
                text.push_str("{\n");
                write(inner, text);
                text.push_str("}\n");
            }
            Statement::Try(body, catches) => {
                text.push_str("try {\n");
                write(body, text);
                text.push('}');
                for (taken, block) in catches {
                    writeln!(text, " catch ({}) {{", taken.written()).unwrap();
                    write(block, text);
                    text.push('}');
                }
                text.push('\n');
            }
        }
    }
}

/// What happens according to the source.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    /// A call throws something, or again what is handled.
    Throw(u32, Option<(Kind, usize)>),
    Destroy(u32),
    Doom(usize),
    /// The block that begins with a call.
    Catch(u32),
    EndCatch,
    Left,
}

/// Runs a function by the rules of the standard.
struct Model {
    random: Random,
    steps: Vec<Step>,
    /// What the blocks handle that run, and whether it has a destructor.
    handled: Vec<(Kind, usize)>,
    objects: usize,
    throws: u32,
}

/// What is on its way.
type Thrown = (Kind, usize);

impl Model {
    fn call(&mut self, number: u32) -> Result<(), Thrown> {
        if self.throws == 0 || self.random.below(5) < 2 {
            return Ok(());
        }
        self.throws -= 1;
        if let Some(&thrown) = self.handled.last()
            && self.random.below(3) == 0
        {
            self.steps.push(Step::Throw(number, None));
            return Err(thrown);
        }
        let kind = Kind::ALL[self.random.below(4) as usize];
        self.objects += 1;
        let thrown = (kind, self.objects);
        self.steps.push(Step::Throw(number, Some(thrown)));
        Err(thrown)
    }

    fn run(&mut self, statements: &[Statement]) -> Result<(), Thrown> {
        let mut made = Vec::new();
        for statement in statements {
            let done = match statement {
                Statement::Local(class) => {
                    made.push(*class);
                    Ok(())
                }
                Statement::Call(number) => self.call(*number),
                Statement::Block(inner) => self.run(inner),
                Statement::Try(body, catches) => self.run_try(body, catches),
            };
            if done.is_err() {
                let backwards = made.into_iter().rev();
                self.steps.extend(backwards.map(Step::Destroy));
                return done;
            }
        }
        Ok(())
    }

    fn run_try(
        &mut self,
        body: &[Statement],
        catches: &[(Taken, Vec<Statement>)],
    ) -> Result<(), Thrown> {
        let Err(thrown) = self.run(body) else {
            return Ok(());
        };
        let Some((_, block)) = catches.iter().find(|(taken, _)| taken.takes(thrown.0)) else {
            return Err(thrown);
        };
        let Some(Statement::Call(first)) = block.first() else {
            unreachable!("blocks begin with a call");
        };
        self.steps.push(Step::Catch(*first));
        self.handled.push(thrown);
        let done = self.run(block);
        self.handled.pop();
        if done.is_ok() {
            self.steps.push(Step::EndCatch);
        }
        let goes_on = done.err().is_some_and(|other| other.1 == thrown.1);
        let is_held = self.handled.iter().any(|outer| outer.1 == thrown.1);
        if thrown.0.has_destructor() && !goes_on && !is_held {
            self.steps.push(Step::Doom(thrown.1));
        }
        done
    }
}

const FUNCTIONS: u64 = 24;
const RUNS: u64 = 60;

/// A program of functions, with what it needs.
fn program(seed: u64) -> (String, Vec<Vec<Statement>>) {
    let mut text = String::from(
        "struct Base { int i; ~Base(); };\nstruct Derived : Base { ~Derived(); };\n\
         extern \"C\" void site(int);\n",
    );
    for kind in ["1", "Base()", "Derived()", "1.0"] {
        let name = kind.replace(['.', '(', ')'], "");
        writeln!(text, "void throw{name}() {{ throw {kind}; }}").unwrap();
    }
    for class in 0..CLASSES {
        writeln!(
            text,
            "struct D{class} {{ D{class}() noexcept; ~D{class}() noexcept; }};"
        )
        .unwrap();
    }
    let mut functions = Vec::new();
    let mut maker = Maker {
        random: Random(seed),
        locals: 0,
        calls: 0,
    };
    for number in 0..FUNCTIONS {
        let mut statements = maker.statements(4);
        // One that has a block for sure.
        statements.push(Statement::Try(
            maker.statements(3),
            vec![(Taken::Everything, {
                let mut block = vec![maker.call()];
                block.extend(maker.statements(3));
                block
            })],
        ));
        writeln!(text, "extern \"C\" void f{number}() {{").unwrap();
        write(&statements, &mut text);
        text.push_str("}\n");
        functions.push(statements);
    }
    (text, functions)
}

/// The functions that the program calls and does not have.
fn missing() -> Vec<String> {
    let mut names: Vec<String> = ["site", "??1Base@@QEAA@XZ", "??1Derived@@QEAA@XZ"]
        .map(String::from)
        .into();
    for class in 0..CLASSES {
        names.push(format!("??0D{class}@@QEAA@XZ"));
        names.push(format!("??1D{class}@@QEAA@XZ"));
    }
    names
}

/// Follows the model's steps through the compiled function.
fn follow(built: &Built, mapped: &Mapped, function: &str, steps: &[Step]) -> usize {
    let mut walk = Walk::new(built, mapped, function);
    let mut seen = Vec::new();
    let mut throws = 0;
    let mut steps = steps.iter().peekable();
    while let Some(step) = steps.next() {
        match step {
            Step::Throw(number, what) => {
                throws += 1;
                let running = walk.running();
                let sites = built.calls_with("site", *number);
                let site = sites
                    .iter()
                    .find(|call| built.function_of(call.return_address - 1) == running)
                    .unwrap_or_else(|| {
                        panic!("{function}: no call {number} in the part that runs")
                    });
                let what = match what {
                    Some((kind, object)) => What::New(built.symbol(kind.description()), *object),
                    None => What::Again,
                };
                seen.extend(walk.throw(&what, site.return_address));
            }
            Step::EndCatch => seen.extend(walk.end_catch()),
            _ => panic!("{function}: {step:?} was not seen"),
        }
        for event in seen.drain(..) {
            let expected = steps.next();
            let same = match (&event, expected) {
                (Event::Destroy(name), Some(Step::Destroy(class))) => {
                    *name == format!("??1D{class}@@QEAA@XZ")
                }
                (Event::Doom(object), Some(Step::Doom(other))) => object == other,
                (Event::Left, Some(Step::Left)) => true,
                (Event::Catch(funclet), Some(Step::Catch(first))) => built
                    .calls_with("site", *first)
                    .iter()
                    .any(|call| built.function_of(call.return_address - 1) == *funclet),
                _ => false,
            };
            assert!(
                same,
                "{function}: {event:?} was seen, {expected:?} expected"
            );
        }
    }
    throws
}

fn check(target: Target, seed: u64, optimisation: &str) {
    let (text, functions) = program(seed);
    let name = format!("generated-{seed}{optimisation}");
    let missing = missing();
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    let built = Built::with_rest(target, &name, &text, &[optimisation], &missing);
    let mapped = Mapped::new(&built.bytes);
    let (mut throws, mut catches) = (0, 0);
    for (number, function) in functions.iter().enumerate() {
        for run in 1..=RUNS {
            let mut model = Model {
                random: Random(seed.wrapping_mul(0x9E37_79B9) ^ run << 32 | 1),
                steps: Vec::new(),
                handled: Vec::new(),
                objects: 0x1000,
                throws: 12,
            };
            if model.run(function).is_err() {
                model.steps.push(Step::Left);
            }
            catches += model
                .steps
                .iter()
                .filter(|step| matches!(step, Step::Catch(_)))
                .count();
            throws += follow(&built, &mapped, &format!("f{number}"), &model.steps);
        }
    }
    // The generator must not have made nothing.
    assert!(
        throws > 1000 && catches > 500,
        "{throws} throws, {catches} catches"
    );
}

#[test]
fn functions_of_nested_blocks_do_what_their_source_says() {
    for target in Target::BOTH {
        for (seed, optimisation) in [(11, "-O0"), (12, "-O2"), (13, "-O2"), (14, "-Os")] {
            check(target, seed, optimisation);
        }
    }
}
