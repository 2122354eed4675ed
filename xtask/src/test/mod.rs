//! `test`: the host's tests, then each test of a kernel in a fresh machine.

pub(crate) mod cases;
mod depot;
mod dialogue;
pub(crate) mod host;
mod machine;
mod plan;
pub(crate) mod results;
mod shelf;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, bail};
use clap::Args;

use crate::progress::Step;
use crate::setup;
use crate::workspace::Workspace;

use depot::Depot;
pub(crate) use plan::{Planned, plan};
use results::{Outcome, TestResult};

/// Which tests, and how.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Run only the tests whose name contains this; the host's tests begin with `host.`
    filter: Option<String>,
    /// Print the serial log of every test
    #[arg(long, short)]
    verbose: bool,
    /// How many machines run side by side
    #[arg(long, short, default_value_t = 2)]
    jobs: usize,
    /// Print the names of the tests and run none
    #[arg(long)]
    list: bool,
}

/// The beginning of the names of tests on the host.
const HOST: &str = "host";

/// `cargo xtask test`.
pub(crate) fn command(workspace: &Workspace, arguments: &TestArgs) -> Result<u8> {
    if arguments.jobs == 0 {
        bail!("no machine can run with `--jobs 0`: ask for at least 1");
    }
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let every = plan(workspace)?;
    let machines: Vec<Planned> = every
        .iter()
        .filter(|planned| planned.name.contains(filter))
        .cloned()
        .collect();
    let depot = (!arguments.list && !machines.is_empty())
        .then(|| Depot::new(workspace, setup::ensure(&setup::TO_RUN)?, &machines))
        .transpose()?;
    // What machines start with is built while the host's tests are, neither waiting for the other's folder, and while the
    // machines run that have theirs.
    let ran = thread::scope(|scope| -> Result<_> {
        let builder = depot
            .as_ref()
            .map(|depot| scope.spawn(|| depot.fill(workspace)));
        let host = host_part(workspace, arguments, filter)?;
        if machines.is_empty() && host.suite.is_empty() {
            return Err(nothing_matches(filter, &every));
        }
        if arguments.list {
            host.suite
                .names()
                .chain(machines.iter().map(|planned| planned.name.clone()))
                .for_each(|name| println!("{name}"));
            return Ok(None);
        }
        let mut all = host.results;
        if let Some(depot) = &depot {
            all.extend(run_machines(depot, &machines, arguments));
        }
        let built = builder.map(|builder| builder.join().expect("the build does not panic"));
        Ok(Some((all, built.transpose())))
    })?;
    let Some((all, built)) = ran else {
        return Ok(0);
    };
    results::store(&workspace.results_file(), &all)?;
    let failed = report(&all);
    built?;
    Ok(u8::from(failed))
}

/// The host's tests that were asked for, and how they went.
struct HostPart {
    suite: host::Suite,
    results: Vec<TestResult>,
}

/// Builds the host's tests, and runs them unless only their names are wanted.
fn host_part(workspace: &Workspace, arguments: &TestArgs, filter: &str) -> Result<HostPart> {
    // To know the names of the host's tests they must be built: a filter that is about
    // machines does not wait for that.
    let suite = if filter.is_empty() || filter.starts_with(HOST) {
        host::build(workspace)?.select(filter)
    } else {
        host::Suite::default()
    };
    let results = if arguments.list || suite.is_empty() {
        Vec::new()
    } else {
        suite.run(workspace)?
    };
    Ok(HostPart { suite, results })
}

fn nothing_matches(filter: &str, every: &[Planned]) -> anyhow::Error {
    let mut near: Vec<(f64, &str)> = every
        .iter()
        .flat_map(|planned| [planned.name.as_str(), planned.case_name.as_str()])
        .map(|name| (strsim::jaro_winkler(filter, name), name))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup();
    let names: Vec<&str> = near.iter().take(5).map(|(_, name)| *name).collect();
    anyhow::anyhow!(
        "no test's name contains {filter:?}; near ones are {}; `cargo xtask test --list` shows all",
        names.join(", ")
    )
}

fn run_machines(depot: &Depot, machines: &[Planned], arguments: &TestArgs) -> Vec<TestResult> {
    let step = Step::counted("running tests in machines", machines.len());
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, TestResult)>> = Mutex::new(Vec::new());
    let order = depot.order(machines);
    let work = || {
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let planned = &machines[index];
            // The build failed: what it said is shown when all threads are done.
            let Some(freight) = depot.freight(planned) else {
                return;
            };
            let result = machine::run(planned, &freight, &depot.tools, &depot.folder(index));
            let mut line = result.line();
            if arguments.verbose && result.outcome == Outcome::Passed {
                line = format!("{line}\n{}", result.quoted_log());
            }
            step.advance(&line);
            done.lock()
                .expect("no thread panics while it holds the results")
                .push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..arguments.jobs.min(machines.len()) {
            scope.spawn(work);
        }
    });
    step.done();
    let mut done = done
        .into_inner()
        .expect("no thread panics while it holds the results");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Prints what failed and the counts; tells whether something failed.
fn report(all: &[TestResult]) -> bool {
    let failed: Vec<&TestResult> = all
        .iter()
        .filter(|result| result.outcome == Outcome::Failed)
        .collect();
    for result in &failed {
        println!("\nFAILED {}: {}", result.name, result.reason);
        print!("{}", result.quoted_log());
    }
    if !failed.is_empty() {
        println!();
    }
    println!(
        "{} passed, {} failed",
        all.len() - failed.len(),
        failed.len()
    );
    !failed.is_empty()
}
