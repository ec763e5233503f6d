"""socket_stream answers every piece with the label of all bytes so far."""
import socket
import unittest

from server_process import ServerProcess


class SocketStream(unittest.TestCase):
    def setUp(self):
        self.server = ServerProcess("0")
        self.addCleanup(self.server.__exit__)

    def talk(self, *pieces):
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            lines = connection.makefile()
            answers = []
            for piece in pieces:
                connection.sendall(piece)
                answers.append(lines.readline().split())
            return answers

    def test_every_piece_is_answered(self):
        pieces = [b"Der Zug nach Hamburg ", b"kommt heute um neun Uhr an. ", b"The train arrives at nine, " * 40]
        answers = self.talk(*pieces)
        self.assertEqual([label for _, label, _ in answers[:2]], ["de", "de"])
        self.assertEqual(answers[2][1], "en", "windows beyond max_len are heard")
        self.assertEqual([int(size) for size, _, _ in answers], [21, 49, 49 + 27 * 40])

    def test_connections_do_not_disturb_each_other(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as idle:
            idle.sendall(b"The ferry ")
            self.assertEqual(self.talk("Сегодня утром река замёрзла".encode())[0][1], "ru")


if __name__ == "__main__":
    unittest.main()
