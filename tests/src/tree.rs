//! The tree under test.

use std::env;
use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Pid, getegid, geteuid};
use tempfile::TempDir;

use crate::accounts::{Accounts, Identity, USERS};
use crate::process::Program;
use crate::sandbox::Sandbox;
use crate::user::User;
use crate::{Need, copy, files, ours, strays};

/// A private, complete tree, with an empty queue and `test.example` as its name.
///
/// For root: with accounts, the users `joe` and `jane`, and a network of its own, of which no
/// change reaches the machine. For others: a single-user tree, whose addresses are all theirs.
pub struct Tree {
    home: PathBuf,
    backing: PathBuf,
    work: TempDir,
    accounts: Accounts,
    original: bool,
    // After `work`'s users, before `work` itself: mounts first, then what is mounted.
    sandbox: Option<Sandbox>,
}

impl Tree {
    /// The tree that `QMAIL_UNDER_TEST` names, else one of our own programs.
    #[must_use]
    pub fn under_test() -> Self {
        Self::with_files_of_the_machine(&[])
    }

    /// As [`Self::under_test`]; none where that needs root, and the test ends: see [`Need::Root`].
    #[must_use]
    pub fn of_root() -> Option<Self> {
        let tree = Self::under_test();
        (!tree.lacks(Need::Root)).then_some(tree)
    }

    /// A tree of our own programs that takes mail for `here.example`; none if the original is under
    /// test, in which something is `missing`.
    #[must_use]
    pub fn ours_for_mail(missing: &str) -> Option<Self> {
        let tree = Self::under_test();
        if tree.is_original() {
            println!("skipped: the original {missing}");
            return None;
        }
        tree.control("rcpthosts", "here.example\n");
        Some(tree)
    }

    /// The same as [`Self::under_test`], where each path names a file or directory of the machine that is the test's own.
    ///
    /// The second half of a pair is mounted over the first. Only for root.
    #[must_use]
    pub fn with_files_of_the_machine(replaced: &[(&str, &Path)]) -> Self {
        let tree = match (env::var_os("QMAIL_UNDER_TEST"), geteuid().is_root()) {
            (Some(home), true) => Self::isolated(Path::new(&home), home.clone().into(), replaced),
            (None, true) => Self::of_programs(&ours::build(), replaced),
            (Some(home), false) => panic!("only root can make a copy of {}", home.display()),
            (None, false) => Self::single_user(),
        };
        tree.control("me", "test.example\n");
        tree
    }

    /// A tree of our own programs, which are in this directory. Only for root.
    #[must_use]
    pub fn of_programs(programs: &Path, replaced: &[(&str, &Path)]) -> Self {
        let (template, home) = ours::installed_by_root(programs);
        let tree = Self::isolated(&template.join("tree"), home, replaced);
        tree.control("me", "test.example\n");
        tree
    }

    /// A tree like the one at `source`, at the place that its programs are made for. Only for root.
    #[must_use]
    pub fn like(source: &Path, home: &Path) -> Self {
        let tree = Self::isolated(source, home.to_path_buf(), &[]);
        tree.control("me", "test.example\n");
        tree
    }

    fn isolated(source: &Path, home: PathBuf, replaced: &[(&str, &Path)]) -> Self {
        let work = workplace();
        let backing = work.path().join("tree");
        fs::create_dir(&backing).expect("a fresh directory has room");
        let constant = copy::shape(source, &backing).unwrap_or_else(|error| {
            panic!("{} does not look like a qmail tree: {error}", source.display())
        });
        let accounts = Accounts::of_tree(source);
        make_homes(work.path());
        let mut mounts: Vec<_> =
            constant.iter().map(|name| (source.join(name), backing.join(name))).collect();
        mounts.push((backing.clone(), home.clone()));
        mounts.extend(replaced.iter().map(|(to, from)| (from.to_path_buf(), PathBuf::from(to))));
        let mounts = accounts.mounts(work.path(), &home, &mounts);
        let sandbox = Some(Sandbox::start(work.path(), &mounts));
        let original = !source.join("users/ids").exists();
        Self { home, backing, work, accounts, original, sandbox }
    }

    /// A tree at `home`, all of which is the test's own, as `make` makes it. Only for root.
    pub(crate) fn made(home: PathBuf, accounts: Accounts, make: impl FnOnce(&Path)) -> Self {
        let work = workplace();
        let backing = work.path().join("tree");
        fs::create_dir(&backing).expect("a fresh directory has room");
        make_homes(work.path());
        make(&backing);
        let mounts = accounts.mounts(work.path(), &home, &[(backing.clone(), home.clone())]);
        let sandbox = Some(Sandbox::start(work.path(), &mounts));
        let tree = Self { home, backing, work, accounts, original: false, sandbox };
        tree.control("me", "test.example\n");
        tree
    }

    fn single_user() -> Self {
        let work = workplace();
        let home = work.path().join("tree");
        let template = ours::installed_by_user();
        fs::create_dir(&home).expect("a fresh directory has room");
        let copied = copy::shape(&template, &home).and_then(|constant| {
            constant
                .iter()
                .try_for_each(|name| copy::link_all(&template.join(name), &home.join(name)))
        });
        copied.unwrap_or_else(|error| panic!("install did not make a tree: {error}"));
        let accounts = Accounts::all(Identity { uid: geteuid().as_raw(), gid: getegid().as_raw() });
        Self { backing: home.clone(), home, work, accounts, original: false, sandbox: None }
    }

    /// Whether this is C: the few places where we differ on purpose ask.
    #[must_use]
    pub fn is_original(&self) -> bool {
        self.original
    }

    /// Whether all processes run as the caller, and all addresses are his.
    #[must_use]
    pub fn is_single_user(&self) -> bool {
        self.sandbox.is_none()
    }

    /// Whether the test must end here, because something is not there: see [`Need`].
    #[must_use]
    pub fn lacks(&self, need: Need) -> bool {
        need.is_missing(self)
    }

    /// The path of the tree as its programs see it.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A file of the tree as the test sees it. Programs in `bin` are elsewhere: see [`Self::bin`].
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        if relative == "bin" { self.bin() } else { self.backing.join(relative) }
    }

    /// Where the programs are, as the test sees it.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        match &self.sandbox {
            Some(sandbox) => sandbox.path(&self.home.join("bin")),
            None => self.home.join("bin"),
        }
    }

    /// Any path of the tree's world, as the test sees it.
    #[must_use]
    pub fn in_its_world(&self, path: &str) -> PathBuf {
        match &self.sandbox {
            Some(sandbox) => sandbox.path(Path::new(path)),
            None => PathBuf::from(path),
        }
    }

    /// A program of the test's own, below [`Self::scratch`]: where it is.
    #[must_use]
    pub fn script(&self, name: &str, body: &str) -> String {
        let path = self.scratch().join(name);
        files::write_script(&path, body);
        path.to_str().expect("a plain path").to_owned()
    }

    /// A directory for the test's own files, which every account can read.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        let scratch = self.work.path().join("scratch");
        // Several threads of a test may come here at once.
        fs::create_dir_all(&scratch).expect("a temporary directory has room");
        files::set_mode(&scratch, 0o1777);
        scratch
    }

    /// The accounts; in a single-user tree all the same.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Writes a control file.
    pub fn control(&self, name: &str, content: impl AsRef<[u8]>) {
        files::write(&self.path("control").join(name), content);
    }

    /// Removes a control file.
    pub fn remove_control(&self, name: &str) {
        let _ = fs::remove_file(self.path("control").join(name));
    }

    /// An address of a test user, `joe`, `jane` or `joe-list`, and where his mail goes.
    #[must_use]
    pub fn user(&self, name: &'static str) -> User {
        match USERS.iter().find(|(known, _)| *known == name) {
            Some((_, identity)) if !self.is_single_user() => {
                User::with_home(name, self.work.path().join("home").join(name), *identity)
            }
            Some(_) => User::of_alias(name, self.path("alias"), self.accounts.alias),
            None => panic!("no test user {name}"),
        }
    }

    /// An address that only the alias user has.
    #[must_use]
    pub fn alias(&self, name: &'static str) -> User {
        User::of_alias(name, self.path("alias"), self.accounts.alias)
    }

    /// A program of the tree.
    #[must_use]
    pub fn program(&self, name: &str) -> Program<'_> {
        self.command(self.home.join("bin").join(name))
    }

    /// Any program of the machine, in the tree's world.
    #[must_use]
    pub fn command(&self, path: impl Into<PathBuf>) -> Program<'_> {
        Program::new(self.sandbox.as_ref(), &self.home, path.into())
    }

    /// Puts a shell script in the place of a program of the tree.
    pub fn replace_program(&self, name: &str, script: &str) {
        let target = self.home.join("bin").join(name);
        if self.is_single_user() {
            fs::remove_file(&target).expect("the tree is ours");
            files::write_script(&target, script);
            return;
        }
        let stand_in = self.scratch().join(name);
        files::write_script(&stand_in, script);
        let mounted = self.command("/bin/mount").arg("--bind").arg(&stand_in).arg(&target).run();
        assert_eq!(mounted.code, Some(0), "{}", mounted.errors());
    }

    /// The processes of the tree's world with this name, or up to 15 bytes of it.
    #[must_use]
    pub fn processes_named(&self, name: &str) -> Vec<Pid> {
        let mut processes = self.processes();
        processes.retain(|process| strays::name(*process) == name);
        processes
    }

    /// Ends everything that runs in the tree's world, at once.
    pub fn end_processes(&self) {
        strays::end(|| self.processes());
    }

    /// All that the test has running in the tree's world.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        let Some(sandbox) = &self.sandbox else {
            let home = [b"QMAILHOME=", self.home.as_os_str().as_bytes()].concat();
            return strays::processes(|process| {
                let variables = fs::read(process.join("environ")).unwrap_or_default();
                variables.split(|byte| *byte == 0).any(|variable| variable == home)
            });
        };
        sandbox.processes()
    }

    /// A listening socket in the tree's network.
    ///
    /// In a single-user tree that is the machine's: use port 0.
    #[must_use]
    pub fn listen(&self, address: &str) -> TcpListener {
        self.within_network(|| TcpListener::bind(address))
            .unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"))
    }

    /// A datagram socket in the tree's network.
    #[must_use]
    pub fn bind(&self, address: &str) -> UdpSocket {
        self.within_network(|| UdpSocket::bind(address))
            .unwrap_or_else(|error| panic!("cannot bind {address}: {error}"))
    }

    /// A connection in the tree's network.
    #[must_use]
    pub fn connect(&self, address: &str) -> TcpStream {
        self.within_network(|| TcpStream::connect(address))
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    /// Does `work`, usually a `bind` or a `connect`, in the tree's network.
    pub fn within_network<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.sandbox {
            Some(sandbox) => sandbox.in_network(work),
            None => work(),
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if self.is_single_user() {
            self.end_processes();
        }
        // Mounts before what they show.
        drop(self.sandbox.take());
    }
}

/// A temporary directory that other users may pass.
pub(crate) fn workplace() -> TempDir {
    let work = TempDir::with_prefix("qmail-test-").expect("a temporary directory can be made");
    files::set_mode(work.path(), 0o755);
    work
}

/// Removes a directory when this process ends, for what statics hold is never dropped.
pub(crate) fn remove_at_exit(directory: &Path) {
    let mut starter = Command::new("sh")
        .args(["-c", "exec 3<&0; { read end <&3 || rm -rf \"$1\"; } &", "sh"])
        .arg(directory)
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh runs");
    // Kept open by nobody but us, until we end.
    std::mem::forget(starter.stdin.take());
    let _ = starter.wait();
}

fn make_homes(work: &Path) {
    let homes = work.join("home");
    fs::DirBuilder::new().mode(0o755).create(&homes).expect("a fresh directory has room");
    for (name, Identity { uid, gid }) in USERS {
        let home = homes.join(name);
        fs::DirBuilder::new().mode(0o755).create(&home).expect("a fresh directory has room");
        chown(&home, Some(uid), Some(gid)).expect("root may");
    }
}
