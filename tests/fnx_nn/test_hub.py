"""Weight files by their address, from a server on this machine: fetched once, whole or not."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import threading
from pathlib import Path

import pytest

import fnx_nn as torch
from fnx_nn import hub
from fnx_nn.serialization import SerializationError


@pytest.fixture
def weights() -> bytes:
    buffer = io.BytesIO()
    torch.save({"w": torch.arange(6.0).reshape(2, 3)}, buffer)
    return buffer.getvalue()


@pytest.fixture
def server():
    """What is served by path, which paths were asked for, and the address."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path not in files:
                self.send_error(404)
                return
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            sent = content[: len(content) // 2] if "cut" in self.path else content
            with contextlib.suppress(ConnectionError):
                self.wfile.write(sent)

        def log_message(self, *args) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield files, asked, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def named(content: bytes, stem: str = "net") -> str:
    return f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.pth"


def test_the_folder_is_that_of_pytorch(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert Path(hub.get_dir()) == tmp_path / "home" / "hub"
    path = hub.checkpoint_path("https://example.org/models/net-0123abcd.pth?x=1")
    assert path == tmp_path / "home" / "hub" / "checkpoints" / "net-0123abcd.pth"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert Path(hub.get_dir()) == tmp_path / "cache" / "torch" / "hub"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Path(hub.get_dir()) == Path.home() / ".cache" / "torch" / "hub"


def test_a_file_is_fetched_once(server, weights, monkeypatch, tmp_path, capsys):
    files, asked, address = server
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    name = named(weights)
    files[f"/{name}"] = weights
    for _ in range(2):
        state = hub.load_state_dict_from_url(f"{address}/{name}", check_hash=True)
        assert state["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert asked == [f"/{name}"]
    assert (tmp_path / "hub" / "checkpoints" / name).read_bytes() == weights
    assert "download" in capsys.readouterr().err


def test_no_progress_and_another_name(server, weights, tmp_path, capsys):
    files, _, address = server
    files["/x"] = weights
    hub.load_state_dict_from_url(
        f"{address}/x", model_dir=tmp_path, file_name="y.pth", progress=False
    )
    assert [path.name for path in tmp_path.iterdir()] == ["y.pth"]
    assert capsys.readouterr().err == ""


def test_wrong_contents_are_refused(server, weights, tmp_path):
    files, _, address = server
    files["/net-00000000.pth"] = weights
    with pytest.raises(SerializationError, match="should begin with 00000000"):
        hub.load_state_dict_from_url(f"{address}/net-00000000.pth", tmp_path, check_hash=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "net-00000000.pth").write_bytes(weights)
    with pytest.raises(SerializationError, match="announces the SHA-256 00000000"):
        hub.load_state_dict_from_url(f"{address}/net-00000000.pth", tmp_path, check_hash=True)


def test_a_broken_connection_leaves_nothing(server, weights, tmp_path):
    files, _, address = server
    files["/cut.pth"] = weights
    with pytest.raises(ConnectionError, match=r"cut\.pth") as caught:
        hub.load_state_dict_from_url(f"{address}/cut.pth", tmp_path)
    assert f"put it at '{tmp_path / 'cut.pth'}'" in str(caught.value)
    with pytest.raises(ConnectionError, match="Not Found"):
        hub.load_state_dict_from_url(f"{address}/absent.pth", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_connection_the_remedy_is_named(tmp_path):
    address = "http://127.0.0.1:9"  # the port of "discard": nobody listens
    with pytest.raises(ConnectionError, match=r"fetch the file elsewhere and put it at .*net\.pth"):
        hub.load_state_dict_from_url(f"{address}/net.pth", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
