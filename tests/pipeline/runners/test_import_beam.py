"""Beam comes without what nothing here needs, faster, and in the usual way if that fails."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

SLOW = ("pandas", "pyarrow")


def run_python(code: str) -> dict:
    """Runs code in a new interpreter; returns the object that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_beam_comes_without_what_nothing_here_needs_and_that_can_still_be_imported() -> None:
    found = run_python("""
        import json, sys
        from maskmill.pipeline.runners.import_beam import import_beam

        import_beam()
        import maskmill.pipeline.create.make_dataset
        before = [name for name in ("apache_beam", "pandas", "pyarrow", "pymongo", "bson") if name in sys.modules]
        import pandas, pyarrow

        print(json.dumps({"before": before, "frame": len(pandas.DataFrame({"a": [1, 2]}))}))
    """)
    assert found == {"before": ["apache_beam"], "frame": 2}


def test_beam_alone_imports_what_is_left_out_here() -> None:
    # If this fails, Beam leaves it out itself, and the trick can go.
    found = run_python("""
        import json, sys
        import apache_beam

        print(json.dumps([name for name in ("pandas", "pyarrow") if name in sys.modules]))
    """)
    assert found == [*SLOW]


def test_the_objects_of_beam_are_out_of_the_collectors_sight() -> None:
    found = run_python("""
        import gc, json
        from maskmill.pipeline.runners.import_beam import import_beam

        import_beam()
        found = {"frozen": gc.get_freeze_count(), "enabled": gc.isenabled(), "between": gc.get_threshold()[0]}
        print(json.dumps(found))
    """)
    assert found["frozen"] > 50_000  # if there are far fewer, the trick can go
    assert found["enabled"]
    assert found["between"] == 10_000


def test_a_beam_that_cannot_do_without_is_imported_in_the_usual_way() -> None:
    found = run_python("""
        import json, sys
        from maskmill.pipeline.runners import import_beam as room

        class NeedsPandas:
            # A Beam that fails if pandas is hidden.
            def find_spec(self, name, path=None, target=None):
                if name == "apache_beam" and sys.modules.get("pandas", 0) is None:
                    raise TypeError("pandas has to be there")

        sys.meta_path.insert(0, NeedsPandas())
        room.import_beam()
        import apache_beam

        print(json.dumps({"version": apache_beam.__version__, "pandas": "pandas" in sys.modules}))
    """)
    assert found["version"].startswith("2.")
    assert found["pandas"]
