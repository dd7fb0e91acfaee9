"""Lanes work only where they are inlined: the built command holds no call of one instruction.

A closure does not inherit the processor features of the function that it stands in. Where one
takes or returns vectors and is not inlined, each of its instructions becomes a call, which costs
several times the arithmetic and changes no result: nothing but the machine code shows it.
"""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

BINARY = Path(__file__).resolve().parents[2] / "target" / "release" / "windfall"
FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION_CALL = re.compile(r"\b(call|jmp|bl|b)\s.*<core::core_arch::")


@pytest.fixture(scope="module")
def code():
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip(f"no vector instructions are known for {platform.machine()}")
    if not BINARY.exists():
        pytest.skip("the windfall command is not built; run `cargo build --release`")
    if shutil.which("objdump") is None:
        pytest.skip("objdump is missing; it comes with the C compiler's binutils")
    command = ["objdump", "--disassemble", "--no-show-raw-insn", "--demangle", str(BINARY)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_no_closure_calls_single_instructions(code):
    calls, functions, function = {}, 0, ""
    for line in code.splitlines():
        if found := FUNCTION.match(line):
            function = found.group(1)
            functions += "windfall" in function
        elif INSTRUCTION_CALL.search(line):
            calls[function] = calls.get(function, 0) + 1
    assert functions > 300, "the command has lost its symbols: nothing was seen"
    assert {name: n for name, n in calls.items() if "{{closure}}" in name} == {}
