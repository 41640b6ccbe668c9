import os
import subprocess
import sys

from keras_semisis.cli.compilation_cache import keep_compiled
from tests.conftest import ROOT

NAME = "JAX_COMPILATION_CACHE_DIR"


def test_compiled_programs_are_kept_in_the_users_cache(tmp_path, monkeypatch):
    # set first, so that what keep_compiled sets is taken back, too
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keep_compiled()
    (folder,) = (tmp_path / "keras_semisis" / "compiled").iterdir()
    assert os.environ[NAME] == str(folder)


def test_a_folder_that_is_named_stays(tmp_path, monkeypatch):
    monkeypatch.setenv(NAME, "elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    keep_compiled()
    assert os.environ[NAME] == "elsewhere" and not list(tmp_path.iterdir())


def test_where_no_folder_can_be_made_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(NAME, "")
    monkeypatch.delenv(NAME)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep_compiled()
    assert NAME not in os.environ


def test_the_program_sets_it_before_a_backend_is_imported(tmp_path):
    """Keras and JAX read the environment when they are imported."""
    code = """
import os, sys, keras_semisis_program
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "keras":
            print(os.environ.get("JAX_COMPILATION_CACHE_DIR"))
sys.meta_path.insert(0, Watch())
sys.argv = ["keras-semisis", "runs", "."]
keras_semisis_program.main()
"""
    environment = {name: value for name, value in os.environ.items() if name != NAME} | {"XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)), done.stderr
