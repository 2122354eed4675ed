//! Where DLLs are looked for, against the order that the Windows documentation gives.
#![allow(clippy::unwrap_used, reason = "a test that goes wrong may stop")]

mod support;

use std::rc::Rc;

use c_interface::Ptr;
use loader::{HandleReference, LoadFlags, Loader, SearchPath};
use nt_abi::{NtResult, NtStatus};
use support::world::Sys;
use support::{Dll, World, wide};

fn start(world: &Rc<World>) -> Rc<Loader<Sys>> {
    world
        .environment
        .borrow_mut()
        .insert("PATH".into(), r"C:\Tools;;D:\Bin\".into());
    world.start(
        &Dll::new("ntdll.dll").without_entry(),
        &Dll::program("p.exe"),
    )
}

fn load(
    loader: &Loader<Sys>,
    path: SearchPath<'_>,
    flags: LoadFlags,
    name: &str,
) -> NtResult<Ptr<u8>> {
    loader.load_dll(path, flags, wide(name).as_str())
}

/// Where a name is searched that is nowhere.
fn searched(world: &World, loader: &Loader<Sys>, path: SearchPath<'_>, name: &str) -> Vec<String> {
    world.searches.take();
    let result = load(loader, path, LoadFlags::default(), name);
    assert_eq!(result, Err(NtStatus::DLL_NOT_FOUND), "{name}");
    world.searches.take()
}

#[test]
fn the_order_of_directories() {
    let world = World::new();
    let loader = start(&world);
    let usual = |name: &str| searched(&world, &loader, SearchPath::Default, name);
    let safe = [
        r"C:\Program\x.dll",
        r"C:\Windows\System32\x.dll",
        r"C:\Windows\System\x.dll",
        r"C:\Windows\x.dll",
        r"C:\Work\x.dll",
        r"C:\Tools\x.dll",
        r"D:\Bin\x.dll",
    ];
    assert_eq!(usual("x"), safe);
    assert_eq!(usual("x.DLL")[0], r"C:\Program\x.DLL");
    assert_eq!(usual("noext.")[0], r"C:\Program\noext");
    assert_eq!(usual(r"sub\x.dll")[1], r"C:\Windows\System32\sub\x.dll");
    assert_eq!(usual(r".\x.dll"), [r"C:\Work\x.dll"]);
    assert_eq!(usual(r"..\x"), [r"C:\x.dll"]);
    assert_eq!(usual("E:/a/../b/x.dll"), [r"E:/b\x.dll"]);
    assert_eq!(usual(r"\x.dll"), [r"C:\x.dll"]);
    assert_eq!(usual(r"C:x.dll"), [r"C:\Work\x.dll"]);
    assert_eq!(usual(r"D:x.dll"), [r"D:\x.dll"]);

    // Without safe search the current directory comes second.
    loader.set_safe_search(false);
    let mut unsafe_order = safe.to_vec();
    let current = unsafe_order.remove(4);
    unsafe_order.insert(1, current);
    assert_eq!(usual("x"), unsafe_order);
    loader.set_safe_search(true);

    // A directory of the program's own replaces the current one.
    loader
        .set_dll_directory(Some(wide(r"C:\Own").as_str()))
        .unwrap();
    let mut own = safe.to_vec();
    own.remove(4);
    own.insert(1, r"C:\Own\x.dll");
    assert_eq!(usual("x"), own);
    loader.set_dll_directory(Some(wide("").as_str())).unwrap();
    own.remove(1);
    assert_eq!(usual("x"), own);
    loader.set_dll_directory(None).unwrap();
    assert_eq!(usual("x"), safe);

    // Directories of the caller.
    let given = wide(r"C:\One;C:\Two");
    let path = SearchPath::Directories(given.as_str());
    assert_eq!(
        searched(&world, &loader, path, "x"),
        [r"C:\One\x.dll", r"C:\Two\x.dll"]
    );
}

#[test]
fn flags_select_directories() {
    let world = World::new();
    let loader = start(&world);
    let with =
        |flags: LoadFlags, name: &str| searched(&world, &loader, SearchPath::Flags(flags), name);
    let system = r"C:\Windows\System32\x.dll";
    let program = r"C:\Program\x.dll";
    assert_eq!(with(LoadFlags::SEARCH_SYSTEM32, "x"), [system]);
    assert_eq!(with(LoadFlags::SEARCH_APPLICATION_DIR, "x"), [program]);
    let both = LoadFlags(LoadFlags::SEARCH_SYSTEM32.0 | LoadFlags::SEARCH_APPLICATION_DIR.0);
    assert_eq!(with(both, "x"), [program, system]);
    assert_eq!(with(LoadFlags::SEARCH_USER_DIRS, "x"), Vec::<String>::new());
    let first = loader
        .add_dll_directory(wide(r"C:\User1").as_str())
        .unwrap();
    loader
        .add_dll_directory(wide(r"C:\User2").as_str())
        .unwrap();
    assert_eq!(
        loader.add_dll_directory(wide(r"relative").as_str()),
        Err(NtStatus::INVALID_PARAMETER)
    );
    let defaults = [program, r"C:\User1\x.dll", r"C:\User2\x.dll", system];
    assert_eq!(with(LoadFlags::SEARCH_DEFAULT_DIRS, "x"), defaults);
    loader.remove_dll_directory(first).unwrap();
    assert_eq!(
        loader.remove_dll_directory(first),
        Err(NtStatus::INVALID_PARAMETER)
    );
    loader
        .set_default_directories(LoadFlags::SEARCH_USER_DIRS)
        .unwrap();
    let default = searched(&world, &loader, SearchPath::Default, "x");
    assert_eq!(default, [r"C:\User2\x.dll"]);
    for bad in [0, 0x100, 0x8, 0x2000] {
        let result = loader.set_default_directories(LoadFlags(bad));
        assert_eq!(result, Err(NtStatus::INVALID_PARAMETER), "{bad:#x}");
    }
}

#[test]
fn known_dlls_come_before_files() {
    let world = World::new();
    let loader = start(&world);
    world.add(&Dll::new("known.dll"));
    world.add_path(r"C:\Program\known.dll", Dll::new("known.dll").build().file);
    let base = load(&loader, SearchPath::Default, LoadFlags::default(), "KNOWN").unwrap();
    let path = loader.full_name(base, |path| Ok(path.to_string()));
    assert_eq!(path.unwrap(), r"C:\Windows\System32\KNOWN.dll");
    // With a path it is another one.
    let other = load(
        &loader,
        SearchPath::Default,
        LoadFlags::default(),
        r"C:\Program\known.dll",
    );
    assert_ne!(other.unwrap(), base);
}

#[test]
fn a_dll_is_found_where_it_is_loaded_from() {
    let world = World::new();
    let loader = start(&world);
    let needed = Dll::new("needed.dll").exporting(&["f"]);
    let plug = Dll::new("plug.dll").importing("needed.dll", &["f"]);
    world.add_path(r"D:\Plug\plug.dll", plug.build().file);
    world.add_path(r"D:\Plug\needed.dll", needed.build().file);
    let full = wide(r"D:\Plug\plug.dll");
    let name = full.as_str();
    // What it needs is not searched in its directory, unless that is asked for.
    let plain = loader.load_dll(SearchPath::Default, LoadFlags::default(), name);
    assert_eq!(plain, Err(NtStatus::DLL_NOT_FOUND));
    for flags in [
        LoadFlags::WITH_ALTERED_SEARCH_PATH,
        LoadFlags(LoadFlags::SEARCH_DLL_LOAD_DIR.0 | LoadFlags::SEARCH_DEFAULT_DIRS.0),
    ] {
        let base = loader
            .load_dll(SearchPath::Flags(flags), LoadFlags::default(), name)
            .unwrap();
        assert_eq!(
            world.mapped(),
            ["needed.dll", "ntdll.dll", "p.exe", "plug.dll"]
        );
        loader.unload_dll(base).unwrap();
        assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"]);
    }
}

#[test]
fn handles_are_found_by_names_and_paths() {
    let world = World::new();
    let loader = start(&world);
    world.add_path(r"C:\Work\sub\a.dll", Dll::new("a.dll").build().file);
    let name = wide(r"sub\a");
    let base = loader
        .load_dll(SearchPath::Default, LoadFlags::default(), name.as_str())
        .unwrap();
    let find = |name: &str| {
        let name = wide(name);
        loader.dll_handle(HandleReference::Leave, SearchPath::Default, name.as_str())
    };
    for good in [
        "a",
        "A.dll",
        r"sub\a.dll",
        r".\sub\a",
        r"C:\Work\sub\A.DLL",
        r"c:\work\x\..\sub\a",
    ] {
        assert_eq!(find(good), Ok(base), "{good}");
    }
    for bad in ["b", "a.", "a.exe", r".\a.dll", r"C:\a.dll"] {
        assert_eq!(find(bad), Err(NtStatus::DLL_NOT_FOUND), "{bad}");
    }
    assert_eq!(find(""), Err(NtStatus::INVALID_PARAMETER));
    let flags = HandleReference::of_flags;
    assert_eq!(flags(1), Ok(HandleReference::Leave));
    assert_eq!(flags(3), Err(NtStatus::INVALID_PARAMETER));
    let taken = loader.dll_handle(
        HandleReference::Take,
        SearchPath::Default,
        wide("a").as_str(),
    );
    assert_eq!(taken, Ok(base));
    loader.unload_dll(base).unwrap();
    assert_eq!(find("a"), Ok(base));
    loader.add_reference(1, base).unwrap();
    for _ in 0..5 {
        loader.unload_dll(base).unwrap();
    }
    assert_eq!(find("a"), Ok(base), "it was pinned");
    assert_eq!(
        loader.add_reference(2, base),
        Err(NtStatus::INVALID_PARAMETER)
    );
    assert_eq!(
        loader.add_reference(0, Ptr::NULL),
        Err(NtStatus::DLL_NOT_FOUND)
    );
}

#[test]
fn somebody_may_redirect_dlls() {
    let world = World::new();
    let loader = start(&world);
    world.add(&Dll::new("a.dll").importing("comctl32.dll", &["f"]));
    let side = Dll::new("comctl32.dll").exporting(&["f"]);
    world.add_path(r"C:\Side\comctl32.dll", side.build().file);
    world
        .redirections
        .borrow_mut()
        .insert("comctl32.dll".into(), r"C:\Side\comctl32.dll".into());
    let base = load(&loader, SearchPath::Default, LoadFlags::default(), "a").unwrap();
    let side_base = world.base_of("comctl32.dll");
    let again = load(
        &loader,
        SearchPath::Default,
        LoadFlags::default(),
        "comctl32.dll",
    );
    assert_eq!(again, Ok(side_base));
    loader.unload_dll(side_base).unwrap();
    loader.unload_dll(base).unwrap();
    assert_eq!(world.mapped(), ["ntdll.dll", "p.exe"]);
}
