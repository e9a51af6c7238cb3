"""Files on the target and what the operating system knows: vFile, osdata, auxv, exec-file, libraries."""

import hashlib
import os
import stat
import struct
import sys
import xml.etree.ElementTree as ElementTree

from harness import VICTIM, escape, run, symbol, unescape


def hexed(path):
    return path.encode().hex()


def result(reply):
    """The number, the error and the data of an F reply."""
    assert reply[:1] == b"F", reply
    head, _, data = reply[1:].partition(b";")
    number, _, error = head.partition(b",")
    return int(number, 16), int(error, 16) if error else 0, unescape(data)


def begin(bench):
    server = bench.serve(VICTIM)
    return bench.connect(server)


def test_write_and_read_back(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "file")
    data = bytes(range(256)) * 300
    number, error, _ = result(client.ask(f"vFile:open:{hexed(path)},602,1a4"))
    assert error == 0
    at = 0
    while at < len(data):
        done, error, _ = result(client.ask(f"vFile:pwrite:{number:x},{at:x},".encode() + escape(data[at:at + 9999])))
        assert error == 0 and done > 0
        at += done
    back = b""
    while True:
        count, error, part = result(client.ask(f"vFile:pread:{number:x},{7000:x},{len(back):x}"))
        assert error == 0 and count == len(part)
        if not part:
            break
        back += part
    assert back == data
    count, error, status = result(client.ask(f"vFile:fstat:{number:x}"))
    assert count == 64
    fields = struct.unpack(">7I3Q3I", status)
    assert fields[7] == len(data) and fields[2] == stat.S_IFREG | 0o644, fields
    assert result(client.ask(f"vFile:close:{number:x}"))[0] == 0
    assert open(path, "rb").read() == data
    assert result(client.ask(f"vFile:stat:{hexed(path)}"))[0] == 64
    assert result(client.ask(f"vFile:unlink:{hexed(path)}"))[0] == 0
    assert not os.path.exists(path)


def test_a_big_read_is_cut_to_the_packet(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "file")
    with open(path, "wb") as file:
        file.write(b"#" * 3000000)
    number, _, _ = result(client.ask(f"vFile:open:{hexed(path)},0,0"))
    count, error, part = result(client.ask(f"vFile:pread:{number:x},7fffffff,0"))
    assert error == 0 and 0 < count == len(part) < 3000000 and set(part) == {ord("#")}


def test_links(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "link")
    os.symlink("/some/where else", path)
    count, error, target = result(client.ask(f"vFile:readlink:{hexed(path)}"))
    assert (count, error, target) == (16, 0, b"/some/where else")


def digest(data):
    """MD5 as lldb-server writes it: two numbers of eight bytes, the least byte first."""
    whole = hashlib.md5(data, usedforsecurity=False).digest()
    return b"F," + (whole[7::-1] + whole[:7:-1]).hex().encode()


def test_digests_for_lldb(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "file")
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 16384, 40001):
        data = bytes(i * 7 & 0xff for i in range(size))
        with open(path, "wb") as file:
            file.write(data)
        assert client.ask("vFile:MD5:" + hexed(path)) == digest(data), size
    os.mkfifo(path + ".pipe")
    with open(path + ".long", "wb") as file:
        file.truncate(1 << 40)
    for bad in ("/nonexistent", "/etc", "/dev/zero", path + ".pipe", path + ".long"):
        assert client.ask("vFile:MD5:" + hexed(bad)) == b"F,x", bad
    for packet in ("vFile:MD5:", "vFile:MD5:z", "vFile:MD5:2f,2f"):
        assert client.request(packet)[:1] == b"E", packet
    # None of them was left open.
    number, error, _ = result(client.ask(f"vFile:open:{hexed('/etc/passwd')},0,0"))
    again, error, _ = result(client.ask(f"vFile:open:{hexed('/etc/passwd')},0,0"))
    assert error == 0 and again == number + 1


def test_links_are_made_for_lldb(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "link")
    packet = f"vFile:symlink:{hexed('/some/where else')},{hexed(path)}"
    assert client.ask(packet) == b"F0,0"
    assert os.readlink(path) == "/some/where else"
    assert client.ask(packet) == b"F11,11"
    assert client.ask(f"vFile:symlink:{hexed('/x')},{hexed(path + '/x')}") == b"F2,2"
    for malformed in ("", hexed("/x"), hexed("/x") + ",", "zz,zz", f"{hexed('/x')},{hexed(path)},61"):
        assert client.request("vFile:symlink:" + malformed) == b"F16,16", malformed


def test_errors_have_the_protocols_numbers(bench):
    client = begin(bench)
    for packet, wanted in ((f"vFile:open:{hexed('/nonexistent')},0,0", 2),
                           (f"vFile:open:{hexed('/etc')},1,0", 21),
                           (f"vFile:open:{hexed('/etc/passwd/x')},0,0", 20),
                           (f"vFile:open:{hexed('/' + 'x' * 300)},0,0", 91),
                           (f"vFile:open:{hexed('/etc/passwd')},3,0", 22),
                           (f"vFile:open:{hexed('/etc/passwd')},4,0", 22),
                           ("vFile:open:zz,0,0", 22), ("vFile:open:,0,0", 22), ("vFile:open:", 22),
                           ("vFile:pread:0,10,0", 9), ("vFile:pread:ffffffffffffffff,10,0", 9),
                           ("vFile:pwrite:2,0,boo", 9), ("vFile:close:0", 9), ("vFile:fstat:63", 9),
                           (f"vFile:readlink:{hexed('/etc')}", 22), (f"vFile:unlink:{hexed('/nonexistent')}", 2),
                           ("vFile:setfs:7ffffffe", 2), ("vFile:setfs:", 22)):
        number, error, _ = result(client.request(packet))
        assert (number, error) == (-1, wanted), (packet, number, error)


def test_a_client_cannot_use_up_the_descriptors(bench):
    client = begin(bench)
    opened = 0
    while True:
        number, error, _ = result(client.request(f"vFile:open:{hexed('/etc/passwd')},0,0"))
        if error:
            break
        opened += 1
    assert error == 24 and opened <= 256, (error, opened)
    assert client.request("?")[:1] == b"T"


def test_opening_never_waits(bench):
    client = begin(bench)
    path = os.path.join(bench.directory.name, "pipe")
    os.mkfifo(path)
    number, error, _ = result(client.ask(f"vFile:open:{hexed(path)},0,0"))
    assert error == 0
    result(client.ask(f"vFile:pread:{number:x},10,0"))


def test_the_processes_file_system(bench):
    client = begin(bench)
    pid = int(client.ask("qC").decode().removeprefix("QCp").split(".")[0], 16)
    assert result(client.ask(f"vFile:setfs:{pid:x}"))[0] == 0
    assert result(client.ask(f"vFile:open:{hexed('/etc/passwd')},0,0"))[1] == 0
    assert result(client.ask("vFile:setfs:0"))[0] == 0


def test_objects(bench):
    client = begin(bench)
    auxv = client.object("auxv")
    entries = dict(struct.iter_unpack("<QQ", auxv))
    assert entries[9] == symbol("_start"), entries
    assert client.object("exec-file").decode() == os.path.realpath(VICTIM)
    assert client.request("qXfer:exec-file:read:7ffffffe:0,100")[:1] == b"E"


def test_libraries(bench):
    client = begin(bench)
    root = ElementTree.fromstring(client.object("libraries-svr4"))
    assert root.tag == "library-list-svr4" and len(root) == 0
    client.insert(0, symbol("tick"))
    client.run("c")
    root = ElementTree.fromstring(client.object("libraries-svr4"))
    names = [library.attrib["name"] for library in root]
    assert any("libc.so" in name for name in names), names
    assert "main-lm" in root.attrib
    # The augmented form begins where it is told to.
    first, second = root[0].attrib, root[1].attrib
    part = ElementTree.fromstring(client.object(
        "libraries-svr4", f"start={second['lm'][2:]};prev={first['lm'][2:]};lmid={second['lmid'][2:]};"))
    assert [library.attrib["name"] for library in part] == names[1:]
    for annex in ("start=x;", "start=1;prev=2;", "unknown=5;"):
        client.request(f"qXfer:libraries-svr4:read:{annex}:0,1000")


def test_os_data(bench):
    client = begin(bench)
    types = ElementTree.fromstring(client.object("osdata"))
    names = [item.find("column[@name='Type']").text for item in types.findall("item")]
    assert {"processes", "threads", "files", "modules", "sockets", "procgroups", "cpus", "shm", "semaphores",
            "msg"} == set(names), names
    for name in names:
        ElementTree.fromstring(client.object("osdata", name))
    processes = ElementTree.fromstring(client.object("osdata", "processes"))
    pid = int(client.ask("qC").decode().removeprefix("QCp").split(".")[0], 16)
    mine = [item for item in processes.findall("item") if item.find("column[@name='pid']").text == str(pid)]
    assert len(mine) == 1 and "serve-victim" in mine[0].find("column[@name='command']").text
    assert client.ask("qXfer:osdata:read:nonsense:0,100") == b"l"


if __name__ == "__main__":
    sys.exit(run(globals()))
