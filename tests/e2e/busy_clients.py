"""Many clients of a control socket that send the same line again and again, as fast as it is taken:
python3 busy_clients.py SOCKET CLIENTS KIND

KIND: "zeros", a line of a mebibyte of zeros as params; "list", a list of a million elements. Runs
until it gets SIGTERM. Replies are read and thrown away; who is turned out comes again.
"""

import selectors
import socket
import sys

HEAD = '{"jsonrpc": "2.0", "id": 1, "method": "user.get", "params": '
LINE = 1 << 20


def line(kind: str) -> bytes:
    if kind == "zeros":
        count = (LINE - len(HEAD) - 4) // 2
        return (HEAD + "[" + ",".join(["0"] * count) + "]}\n").encode()
    # Two bytes an element do not fit into a line that is read: it ends there for the reader.
    return (HEAD + '{"names": [' + ",".join(["0"] * 1_000_000) + "]}}\n").encode()


class Client:
    def __init__(self, path: str, text: memoryview, selector: selectors.BaseSelector):
        self.path, self.text, self.selector = path, text, selector
        self.connect()

    def connect(self):
        self.at = 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(self.path)
        self.socket.setblocking(False)
        self.selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def serve(self, events: int):
        try:
            if events & selectors.EVENT_READ and not self.socket.recv(1 << 16):
                raise ConnectionError
            if events & selectors.EVENT_WRITE:
                self.at += self.socket.send(self.text[self.at:self.at + (1 << 16)])
                self.at %= len(self.text)
        except BlockingIOError:
            return
        except OSError:
            self.selector.unregister(self.socket)
            self.socket.close()
            self.connect()


def main():
    path, clients, kind = sys.argv[1:]
    text = memoryview(line(kind))
    selector = selectors.DefaultSelector()
    for _ in range(int(clients)):
        Client(path, text, selector)
    print("ready", flush=True)
    while True:
        for key, events in selector.select():
            key.data.serve(events)


if __name__ == "__main__":
    main()
