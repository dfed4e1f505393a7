"""Protects the suite's own cryptography: where the paper leans on others' documents, by their
examples."""

import unittest

from tests.e2e.conformance import noise


class NoiseTest(unittest.TestCase):
    def test_hchacha20_gives_its_draft_s_example(self):
        """draft-irtf-cfrg-xchacha-03, section 2.2.1."""
        key = bytes(range(32))
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        self.assertEqual(noise.hchacha20(key, nonce).hex(),
                         "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc")

    def test_xchacha20_poly1305_gives_its_draft_s_example(self):
        """Section A.3.1."""
        cipher, nonce = noise.extended(bytes(range(0x80, 0xa0)), bytes(range(0x40, 0x58)))
        text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
                b"the future, sunscreen would be it.")
        sealed = cipher.encrypt(nonce, text, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
        self.assertEqual(sealed[:16].hex(), "bd6d179d3e83d43b9576579493c0e939")
        self.assertEqual(sealed[-16:].hex(), "c0875924c1c7987947deafd8780acf49")

    def test_both_sides_of_a_handshake_agree(self):
        ours, theirs, shared = noise.KeyPair(), noise.KeyPair(), bytes(range(32))
        initiator = noise.Initiator(ours, theirs.public)
        responder = noise.Responder(theirs, initiator.message(noise.timestamp()))
        self.assertEqual(responder.remote, ours.public)
        response, theirs = responder.answer(shared)
        ours = initiator.finish(response, shared)
        self.assertEqual(theirs.open(ours.seal(b"text"))[1], b"text" + bytes(12))
        self.assertEqual(ours.open(theirs.seal(b""))[1], b"")
