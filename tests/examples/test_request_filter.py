"""request_filter refuses what looks like its label, passes on everything else, and says when nobody is there."""
import http.client
import http.server
import threading
import unittest

from server_process import ServerProcess

GERMAN = "Der Zug nach Hamburg kommt heute um neun Uhr an, sagte die Schaffnerin. " * 3
ENGLISH = "The ferry leaves at seven, so we should pack tonight and sleep early. " * 3


class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class RequestFilter(unittest.TestCase):
    def filter_before(self, upstream):
        server = ServerProcess("de", "0.5", "0", str(upstream))
        self.addCleanup(server.__exit__)
        return server

    def post(self, port, text):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("POST", "/", text.encode())
        response = connection.getresponse()
        return response.status, response.read().decode()

    def test_refuses_the_label_and_passes_on_the_rest(self):
        web_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=web_server.serve_forever, daemon=True).start()
        self.addCleanup(web_server.server_close)
        self.addCleanup(web_server.shutdown)
        request_filter = self.filter_before(web_server.server_port)
        self.assertEqual(self.post(request_filter.port, ENGLISH), (200, ENGLISH))
        self.assertEqual(self.post(request_filter.port, GERMAN), (403, ""))
        self.assertEqual(self.post(request_filter.port, " " * 2000 + GERMAN * 20), (403, ""), "behind max_len")

    def test_says_when_there_is_no_server(self):
        self.assertEqual(self.post(self.filter_before(1).port, ENGLISH), (502, ""))


if __name__ == "__main__":
    unittest.main()
