"""Debian's Firefox without a screen, driven through Marionette, its own remote control."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.viewer import free_port, wait_until

START_S = 60
CALL_S = 40
PREFS: Mapping[str, Any] = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.tabs.warnOnClose": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "dom.push.testing.allowInsecureServerURL": True,
    "intl.accept_languages": "en-US",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "permissions.default.desktop-notification": 1,
    # Those of Marionette switch push off.
    "remote.prefs.recommended": False,
    "toolkit.telemetry.enabled": False,
}
# Stands for the desktop: what is shown is kept, and may be clicked.
DESKTOP = """
const shown = [];
const desktop = {
  shown,
  click(title, action) {
    const found = shown.findLast(({ alert }) => alert.title === title);
    const pressed = action ? found.alert.actions.find(({ title }) => title === action) : null;
    found.listener.observe(pressed, "alertclickcallback", found.alert.cookie);
  },
  QueryInterface: ChromeUtils.generateQI(["nsIAlertsService", "nsIAlertsDoNotDisturb"]),
  showAlert(alert, listener) {
    shown.push({ alert, listener });
    listener?.observe(null, "alertshow", alert.cookie);
  },
  showPersistentNotification(_data, alert, listener) { this.showAlert(alert, listener); },
  showAlertNotification() {},
  closeAlert(name) {
    const at = shown.findIndex(({ alert }) => alert.name === name);
    if (at >= 0) shown.splice(at, 1);
  },
  teardown() {},
  pbmTeardown() {},
  get history() { return Promise.resolve([]); },
};
const factory = {
  createInstance: (iid) => desktop.QueryInterface(iid),
  QueryInterface: ChromeUtils.generateQI(["nsIFactory"]),
};
const registrar = Components.manager.QueryInterface(Ci.nsIComponentRegistrar);
registrar.registerFactory(Services.uuid.generateUUID(), "tests", "@mozilla.org/alerts-service;1", factory);
globalThis.desktop = desktop;
"""


class Firefox:
    """One browser with a profile of its own."""

    def __init__(self, folder: Path, push_url: str) -> None:
        self._folder = folder
        self._push_url = push_url
        self._process: subprocess.Popen[bytes] | None = None
        self._next = 0

    def __enter__(self) -> "Firefox":
        port = free_port()
        self._write_prefs(port)
        program = shutil.which("firefox-esr")
        assert program is not None
        words = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
        with (self._folder / "firefox.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, *words, "--profile", str(self._folder / "profile"), "about:blank"],
                stdout=log,
                stderr=log,
                env=os.environ | {"HOME": str(self._folder), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
            )
        wait_until(lambda: self._connect(port), "Firefox listens", START_S)
        self.call("WebDriver:NewSession", capabilities={})
        self.call("WebDriver:SetTimeouts", script=CALL_S * 1000, pageLoad=CALL_S * 1000)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
        self._socket.close()

    def call(self, command: str, **parameters: Any) -> Any:
        """Send a command of Marionette and return its result."""
        self._next += 1
        words = json.dumps([0, self._next, command, parameters]).encode()
        self._socket.sendall(str(len(words)).encode() + b":" + words)
        _, number, error, result = self._receive()
        assert number == self._next
        assert error is None, error
        return result

    def open(self, url: str) -> None:
        """Go to an address."""
        self.call("WebDriver:Navigate", url=url)

    def run(self, script: str, *words: Any) -> Any:
        """Run the body of a function in the page; promises are waited for."""
        return self._execute(script, words)

    def chrome(self, script: str, *words: Any) -> Any:
        """Run it in the browser itself."""
        self.call("Marionette:SetContext", value="chrome")
        try:
            return self._execute(script, words)
        finally:
            self.call("Marionette:SetContext", value="content")

    def wait(self, condition: str, what: str, timeout_s: float = 60) -> None:
        """Wait until an expression of the page is true."""
        wait_until(lambda: bool(self.run(f"return {condition}")), what, timeout_s)

    def _execute(self, script: str, words: tuple[Any, ...]) -> Any:
        found = self.call(
            "WebDriver:ExecuteScript", script=script, args=list(words), newSandbox=False, sandbox="default"
        )
        return found["value"]

    def _write_prefs(self, port: int) -> None:
        profile = self._folder / "profile"
        profile.mkdir()
        prefs = {**PREFS, "marionette.port": port, "dom.push.serverURL": self._push_url}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in prefs.items()]
        (profile / "user.js").write_text("\n".join(lines))

    def _connect(self, port: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "firefox.log").read_text()
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout=CALL_S + 10)
        except OSError:
            return False
        self._receive()  # it introduces itself
        return True

    def _receive(self) -> Any:
        head = b""
        while not head.endswith(b":"):
            head += self._read(1)
        return json.loads(self._read(int(head[:-1])))

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            assert part, "Firefox hung up"
            found += part
        return found
