"""Someone on the way between two servers, who takes STARTTLS out of what the server offers."""

import re
import socket
import threading


class Stripper:
    """Passes everything on between `host:port` and a server, but for its offer of STARTTLS."""

    def __init__(self, host: str, port: int, server: tuple[str, int]) -> None:
        self.server = server
        self.listener = socket.create_server((host, port))
        self.seen = b""
        self.stripped = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.server, 30)
            threading.Thread(target=self.pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, True), daemon=True).start()

    def pump(self, source: socket.socket, target: socket.socket, is_server: bool) -> None:
        try:
            while piece := source.recv(65536):
                if is_server:
                    piece, count = re.subn(rb"STARTTLS", b"XXXXXXXX", piece)
                    self.stripped += count
                else:
                    self.seen += piece
                target.sendall(piece)
        except OSError:
            pass
        finally:
            for one in (source, target):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self) -> None:
        self.listener.close()
