"""pip and uv install into .venv whatever the user's settings say, and failures name the remedy."""

import os
import tomllib
import zipfile
from pathlib import Path

import pytest

from cli.checkout import installer
from tests.cli.conftest import Checkout

HOSTILE = {
    "PIP_USER": "1", "PIP_NO_USER": "1", "PIP_TARGET": "/nowhere", "PIP_PREFIX": "/nowhere", "PIP_ROOT": "/nowhere",
    "PIP_PYTHON": "/usr/bin/python3", "PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1", "PIP_REQUIRE_HASHES": "1",
    "PIP_CONSTRAINT": "/nowhere", "PIP_PLATFORM": "win32", "PIP_NO_BINARY": ":all:", "PIP_VERSION": "1",
    "PIP_USE_FEATURE": "no-such-feature", "PIP_LOG": "/nowhere/log", "pip_user": "1",
    "UV_SYSTEM_PYTHON": "1", "UV_PYTHON": "3.8", "UV_NO_BINARY": "1", "UV_REQUIRE_HASHES": "1", "UV_DRY_RUN": "1",
    "UV_PROJECT_ENVIRONMENT": "/nowhere", "UV_WORKING_DIR": "/nowhere", "UV_EXCLUDE_NEWER": "2001-01-01",
    "UV_PYTHON_PREFERENCE": "only-managed", "UV_NO_CONFIG": "1", "UV_CONSTRAINT": "/nowhere",
}  # fmt: skip
KEPT = {
    "PIP_INDEX_URL": "https://a/simple", "PIP_EXTRA_INDEX_URL": "https://b https://c", "PIP_PROXY": "http://p:1",
    "PIP_CERT": "/ca.pem", "PIP_CLIENT_CERT": "/me.pem", "PIP_TRUSTED_HOST": "a", "PIP_FIND_LINKS": "/wheels",
    "PIP_NO_INDEX": "1", "PIP_DEFAULT_TIMEOUT": "9", "PIP_CACHE_DIR": "/c", "PIP_KEYRING_PROVIDER": "import",
    "UV_INDEX": "https://b", "UV_DEFAULT_INDEX": "https://a", "UV_INDEX_INTERNAL_PASSWORD": "x",
    "UV_NATIVE_TLS": "1", "UV_SYSTEM_CERTS": "1", "UV_INSECURE_HOST": "a", "UV_HTTP_TIMEOUT": "9", "UV_OFFLINE": "1",
    "HTTPS_PROXY": "http://p:1", "SSL_CERT_FILE": "/ca.pem", "REQUESTS_CA_BUNDLE": "/ca.pem", "PATH": "/bin",
}  # fmt: skip
BROKEN_MODULE = "raise ImportError('no such symbol')"


def test_environment_keeps_only_ways_to_packages() -> None:
    assert installer.installer_environment({**HOSTILE, **KEPT}) == KEPT
    features = {"PIP_USE_FEATURE": "fast-deps truststore", "PIP_USE_DEPRECATED": "legacy-resolver"}
    assert installer.installer_environment(features) == {"PIP_USE_FEATURE": "truststore"}


def test_settings_of_pip_files_become_variables() -> None:
    listed = (
        "global.extra-index-url='\\nhttps://b\\nhttps://c'\nglobal.index-url='https://a/simple'\ninstall.user='yes'\n"
        "global.cert='/global.pem'\ninstall.cert='/install.pem'\nglobal.use-feature='fast-deps'\n"
        "download.proxy='http://other'\nglobal.timeout='60'\n:env:.timeout='9'\nnot a setting\n"
    )
    seen: list[dict[str, str]] = []

    def list_settings(environment: dict[str, str]) -> tuple[int, str]:
        seen.append(environment)
        return 0, listed

    given = {"PIP_CONFIG_FILE": "/mine.conf", "PIP_TIMEOUT": "9", "PIP_TARGET": "/nowhere"}
    assert installer.pip_environment(given, list_settings) == {
        "PIP_CERT": "/install.pem",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_EXTRA_INDEX_URL": "https://b https://c",
        "PIP_INDEX_URL": "https://a/simple",
        "PIP_TIMEOUT": "9",
    }
    assert seen == [{"PIP_CONFIG_FILE": "/mine.conf", "PIP_TIMEOUT": "9"}]


def test_settings_of_uv_files_are_merged(tmp_path: Path) -> None:
    project, user, machine = (tmp_path / name for name in ("work", "home", "etc"))
    for path, text in (
        (project / "pyproject.toml", "[tool.uv]\nfind-links = ['./wheels']\nexclude-newer = '2001-01-01'"),
        (project / "checkout" / "pyproject.toml", "[project]\nname = 'counter'"),
        (user / "uv" / "uv.toml", "native-tls = true\n[[index]]\nname = 'a'\nurl = 'https://a'\n[pip]\ntarget = '/x'"),
        (machine / "uv" / "uv.toml", "native-tls = false\nno-binary = true\n[[index]]\nurl = 'https://b/é\"'"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    given = {"XDG_CONFIG_HOME": str(user), "XDG_CONFIG_DIRS": f"/nowhere:{machine}"}
    expected = {
        "find-links": [str(project / "wheels")],
        "native-tls": True,
        "index": [{"name": "a", "url": "https://a"}, {"url": 'https://b/é"'}],
    }
    assert tomllib.loads(installer.uv_configuration(given, project / "checkout")) == expected
    named = {**given, "UV_CONFIG_FILE": str(machine / "uv" / "uv.toml")}
    assert tomllib.loads(installer.uv_configuration(named, project)) == {
        "native-tls": False,
        "index": [{"url": 'https://b/é"'}],
    }
    assert installer.uv_configuration({**named, "UV_NO_CONFIG": "true"}, project) == ""
    with pytest.raises(installer.SettingsError, match=r"^uv's settings in /nowhere/uv\.toml cannot be read: "):
        installer.uv_configuration({"UV_CONFIG_FILE": "/nowhere/uv.toml"}, project)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "There was a problem confirming the ssl certificate: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed\n"
            "ERROR: Cannot install a because these package versions have conflicting dependencies.",
            "set PIP_CERT to a file with your organization's CA certificate",
        ),
        ("confirming the ssl certificate: “a” certificate is not trusted", "set PIP_CERT to a file"),
        ("confirming the ssl certificate: SSLError(1, '[SSL: WRONG_VERSION_NUMBER]", "check https:// in PIP_INDEX_URL"),
        ("Could not find a suitable TLS CA certificate bundle, invalid path: /a.pem", "/a.pem does not exist"),
        ("Could not find the TLS certificate file, invalid path: /a.pem", "/a.pem does not exist: correct PIP_CERT"),
        ("proxy connection error: (...NewConnectionError(", "check PIP_PROXY and HTTPS_PROXY"),
        ("Caused by ProxyError('Cannot connect to proxy.', NewConnectionError('", "check PIP_PROXY and HTTPS_PROXY"),
        ("OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "check PIP_PROXY and HTTPS_PROXY"),
        ("Could not fetch URL http://a/: 401 Client Error: Unauthorized for url", "answers 401: check PIP_INDEX_URL"),
        ("Ignoring indexes: https://pypi.org/simple", "unset PIP_NO_INDEX"),
        ("connection error: [Errno 111] Connection refused - skipping", "is there a network?"),
        ("connection broken by 'NameResolutionError(", "is there a network?"),
    ],
)  # fmt: skip
def test_failure_of_pip_is_explained(said: str, remedy: str) -> None:
    assert remedy in (installer.explain(said, by_uv=False) or "")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("error sending request\n cause: invalid peer certificate: UnknownIssuer", "set SSL_CERT_FILE to a file"),
        ("error sending request\n cause: received corrupt message of type InvalidContentType", "check https://"),
        ("cause: tunnel error: proxy authorization required", "check HTTPS_PROXY and ALL_PROXY"),
        ("hint: An index URL could not be queried (401 Unauthorized)", "answers 401: check UV_DEFAULT_INDEX"),
        ("Packages were unavailable because index lookups were disabled", "remove no-index"),
        ("Packages were unavailable because the network was disabled.", "unset UV_OFFLINE"),
        ("error: Failed to fetch\n cause: error sending request\n cause: dns error", "is there a network?"),
    ],
)
def test_failure_of_uv_is_explained(said: str, remedy: str) -> None:
    assert remedy in (installer.explain(said, by_uv=True) or "")


def test_other_failures_are_not_explained() -> None:
    assert installer.explain("ERROR: Failed building wheel for a", by_uv=False) is None


class PipCheckout(Checkout):
    """A checkout that is prepared by pip, with packages from a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.add_python()
        self.wheels = folder / "wheels"
        self.wheels.mkdir()

    def require(self, name: str, module: str = "") -> None:
        """Add a package to the folder and to the requirements."""
        with zipfile.ZipFile(self.wheels / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", module)
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        (self.root / "requirements-local.txt").write_text(f"{name}==1.0\n", encoding="utf-8")

    @property
    def markers(self) -> list[str]:
        """The names of the files that say which requirements are complete."""
        return sorted(path.name for path in (self.root / ".venv").glob(".counter-*"))


@pytest.fixture(scope="module")
def pip_checkout(tmp_path_factory: pytest.TempPathFactory) -> PipCheckout:
    """Make a checkout whose environment has pip and no packages."""
    checkout = PipCheckout(tmp_path_factory.mktemp("pip"))
    assert checkout.run("--help").returncode == 0
    return checkout


def test_packages_arrive_despite_environment_variables(pip_checkout: PipCheckout) -> None:
    pip_checkout.require("first")
    hostile = {**HOSTILE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(pip_checkout.wheels)}
    done = pip_checkout.run("--help", path=None, **hostile)
    assert done.returncode == 0, done.stderr
    assert list((pip_checkout.root / ".venv").glob("lib/python*/site-packages/first.py"))


def test_packages_arrive_despite_files(pip_checkout: PipCheckout) -> None:
    pip_checkout.require("second")
    folder = pip_checkout.bin / ".config" / "pip"
    folder.mkdir(parents=True)
    (folder / "pip.conf").write_text(
        f"[global]\nno-index = yes\nfind-links = {pip_checkout.wheels}\n[install]\nuser = yes\nroot = /nowhere\n"
    )
    done = pip_checkout.run("--help")
    (folder / "pip.conf").write_text("[broken")
    broken = pip_checkout.run("test", "--version")
    (folder / "pip.conf").unlink()
    assert done.returncode == 0, done.stderr
    assert list((pip_checkout.root / ".venv").glob("lib/python*/site-packages/second.py"))
    assert broken.returncode == 1
    assert broken.stderr.splitlines()[-1].startswith("counter: pip cannot read its settings: ")


def test_packages_that_do_not_import_are_not_complete(pip_checkout: PipCheckout) -> None:
    pip_checkout.require("third", BROKEN_MODULE)
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(pip_checkout.wheels)}
    done = pip_checkout.run("--help", path=None, **offline)
    assert done.returncode == 1
    assert "counter: the packages are installed but do not work: third cannot be imported: ImportError" in done.stderr
    assert ".counter-incomplete" in pip_checkout.markers
    # The next start does not rely on what is there.
    pip_checkout.require("third")
    done = pip_checkout.run("--help", path=None, **offline)
    assert done.returncode == 0, done.stderr
    assert pip_checkout.markers == [".counter-local"]


def test_missing_packages_name_the_setting(pip_checkout: PipCheckout) -> None:
    (pip_checkout.root / "requirements-local.txt").write_text("missing==1.0\n", encoding="utf-8")
    done = pip_checkout.run("--help", PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert "counter: cannot download the packages; package indexes are switched off: unset PIP_NO_INDEX" in done.stderr


def test_uv_gets_neither_variables_nor_files(checkout: Checkout) -> None:
    checkout.add_python()
    checkout.add_uv(
        pip=f'"{checkout.bin}/cat" "$UV_CONFIG_FILE" > "{checkout.bin}/settings"; export > "{checkout.bin}/env"'
    )
    folder = checkout.bin / ".config" / "uv"
    folder.mkdir(parents=True)
    (folder / "uv.toml").write_text("native-tls = true\n[pip]\ntarget = '/nowhere'\n")
    done = checkout.run("--help", path=None, **{**HOSTILE, "UV_NO_CONFIG": "0", "UV_DEFAULT_INDEX": "https://a"})
    assert done.returncode == 0, done.stderr
    assert (checkout.bin / "settings").read_text() == "native-tls = true\n"
    environment = (checkout.bin / "env").read_text()
    assert "UV_DEFAULT_INDEX" in environment
    assert not [name for name in HOSTILE if f" {name}=" in environment]
