import viser

from luxel.viewer.notices import Notices


class FakeClient(viser.ClientHandle):
    def __init__(self):
        self.shown = []

    def add_notification(self, title, body, *, auto_close_seconds, color):
        self.shown.append((title, body, color))
        assert auto_close_seconds > 5


def test_what_went_wrong_is_red_and_what_was_done_is_green():
    one, other = FakeClient(), FakeClient()
    notices = Notices(lambda: [one, other])
    notices.complain(one, "no such file")
    notices.inform(None, "Saved a.json")
    assert other.shown == [("Done", "Saved a.json", "green")]
    assert one.shown == [("Not done", "no such file", "red"), *other.shown]
