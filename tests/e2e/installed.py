"""A fresh Debian in a folder, with the packages installed: programs run in it as they would there."""

import pathlib
import re
import subprocess
import tempfile

from tests.e2e.netns import Namespace, run
from tests.e2e.relay import BUILD, ROOT

MIRROR = re.compile(r"^(?:URIs:|deb(?: \[[^]]*\])?) +(\S+)", re.MULTILINE)
# What the unit gives the process, and no more.
UNIT = ROOT / "conf" / "wirelay.service.in"


def mirror() -> str:
    """The one that this machine takes its packages from."""
    sources = [pathlib.Path("/etc/apt/sources.list"),
               *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        if source.is_file() and (found := MIRROR.search(source.read_text())):
            return found[1]
    return "http://deb.debian.org/debian"


def make_packages(folder: pathlib.Path, *options: str) -> list[pathlib.Path]:
    done = run(str(ROOT / "tools" / "package.sh"), "--build", str(BUILD), *options, str(folder),
               timeout=600)
    return [pathlib.Path(line) for line in done.stdout.split()]


def capabilities_of_unit() -> list[str]:
    line = re.search(r"^AmbientCapabilities=(.*)$", UNIT.read_text(), re.MULTILINE)[1]
    return [name.removeprefix("CAP_").lower() for name in line.split()]


class Installed:
    """Without recommended packages. Removed with remove()."""

    MOUNTS = ("proc", "sys", "dev")

    def __init__(self, package: pathlib.Path):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="wirelay-debian-"))
        self.mounted: list[pathlib.Path] = []
        try:
            self.install(package)
        except BaseException:
            self.remove()
            raise

    def install(self, package: pathlib.Path):
        # Its own apt does not have to fetch anything afterwards.
        run("mmdebstrap", "--variant=apt", "--aptopt=APT::Install-Recommends \"false\"",
            "--include=iproute2,iputils-ping", "--skip=cleanup/apt",
            f"--customize-hook=copy-in {package} /root",
            f"--customize-hook=chroot \"$1\" apt-get install -qq -y /root/{package.name}",
            "bookworm", str(self.root), mirror(), timeout=900)
        for name in self.MOUNTS:
            run("mount", "--rbind", f"/{name}", str(self.root / name))
            self.mounted.append(self.root / name)
            run("mount", "--make-rslave", str(self.root / name))

    def run(self, *command: str, namespace: Namespace | None = None,
            **options) -> subprocess.CompletedProcess:
        inside = ["chroot", str(self.root), *command]
        return namespace.run(*inside, **options) if namespace else run(*inside, **options)

    def serve(self, namespace: Namespace, **options) -> subprocess.Popen:
        """The service, with the user and the capabilities that its unit names."""
        names = capabilities_of_unit()
        added = "".join(f",+{name}" for name in names)
        return namespace.spawn(
            "chroot", str(self.root), "setpriv",
            "--reuid=wirelay", "--regid=wirelay", "--init-groups", "--no-new-privs",
            f"--inh-caps=-all{added}", f"--ambient-caps=-all{added}", f"--bounding-set=-all{added}",
            "relayd", "--config", "/etc/wirelay/relayd.json", **options)

    def remove(self):
        for mounted in self.mounted:
            run("umount", "--recursive", "--lazy", str(mounted))
        # Never through a mount that stayed: these are the machine's own devices.
        run("find", str(self.root), "-xdev", "-depth", "-delete", check=False)
