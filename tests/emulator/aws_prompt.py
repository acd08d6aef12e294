"""The aws CLI, unmodified, for many commands: loaded once, and then for each command a process of its own.

Reads lines with the words of a command as JSON, answers each with its exit code and what it wrote, as
JSON. Loading the CLI and its models takes most of a command's time otherwise.
"""

import json
import os
import sys
import tempfile

import awscli.clidriver

SERVICES = ["ec2", "ram"]


def load() -> awscli.clidriver.CLIDriver:
    """Loads the CLI, and the models of the services that are talked to."""
    driver = awscli.clidriver.create_clidriver()
    for service in SERVICES:
        driver.session.get_service_model(service)
    return driver


def run(driver: awscli.clidriver.CLIDriver, words: list[str]) -> dict[str, object]:
    """Runs a command in a process that nothing before it has touched."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = os.fork()
        if process == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            code = driver.main(words)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return {"code": code, "stdout": texts[0], "stderr": texts[1]}


loaded = load()
for line in sys.stdin:
    print(json.dumps(run(loaded, json.loads(line))), flush=True)
