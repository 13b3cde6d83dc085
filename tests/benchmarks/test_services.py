import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_the_services_table_is_printed() -> None:
    subprocess.run([sys.executable, str(Path(__file__).with_name("services.py"))], check=True, timeout=1190)
