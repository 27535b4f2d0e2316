"""Run the demo with small stand-ins for its programs: `fake_programs.py [--reset]`.

The stand-ins start in a blink and do nothing but answer 200; each writes its process id down.
`FAKE_PREPARE` is the code that prepares, `FAKE_WORKER` the code of the worker.
"""

import os
import sys

from tools import demo, programs

SERVER = """
import http.server, os, sys
class Fine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Fine).serve_forever()
"""
IDLE = "import threading; threading.Event().wait()"


def noting(name: str, code: str, *arguments: str) -> list[str]:
    """Return a command that writes its process id down, then runs the code."""
    note = "import os, pathlib\npids = pathlib.Path(os.environ['VAR_DIR'], 'pids')\n"
    note += f"pids.mkdir(exist_ok=True)\n(pids / f'{name}-{{os.getpid()}}').touch()\n"
    return [sys.executable, "-c", note + code, *arguments]


programs.web = lambda port: noting("web", SERVER, str(port))
programs.sandbox = lambda port: noting("sandbox", SERVER, str(port))
programs.worker = lambda **_: noting("worker", os.environ.get("FAKE_WORKER", IDLE))
programs.beat = lambda schedule: noting("beat", IDLE, str(schedule))
programs.prepare = lambda: [sys.executable, "-c", os.environ.get("FAKE_PREPARE", "")]

if __name__ == "__main__":
    demo.main()
