"""A server program of the examples, started for a test on a free port."""
import os
import re
import subprocess


class ServerProcess:
    """A context: `port` is where the program listens. It is stopped at the end."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([os.environ["PROGRAM"], os.environ["MODEL"], *arguments],
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(re.fullmatch(r"listening on (\d+)\n", self.process.stdout.readline()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
