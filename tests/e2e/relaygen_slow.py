"""Protects trials that outlive sessions: relaygen makes new keys in time, and loses nothing to it.

Runs beside the other tests (tools/test.sh), since it mostly waits.
"""

from tests.e2e.lab import RING
from tests.e2e.relaygen_test import RelaygenCase

SESSION_ENDS = 180  # seconds, WireGuard paper, section 6.1
CLIENTS = 3


class LongTrialTest(RelaygenCase):
    NAME = "wl-genl"

    @classmethod
    def start_far_end(cls):
        cls.start_relayd(f"net_af_packet0,iface=wan,{RING}", f"net_af_packet1,iface=inet,{RING}")

    def test_sessions_are_renewed_without_a_lost_packet(self):
        trial, = self.generator().run(
            "run", "--mode", "hub", "--users", str(CLIENTS), "--rate", "100", "--duration",
            str(SESSION_ENDS + 10), "--sample", "1", "--drain", "5",
            seconds=SESSION_ENDS + 120)["trials"]
        for fault in ("lost", "duplicates", "corrupt"):
            self.assertEqual(trial[fault], 0, f"{fault}: {trial}")
        self.assertEqual(trial["verified"], trial["sent"])
        self.assertGreaterEqual(self.sessions(), 2 * CLIENTS)
