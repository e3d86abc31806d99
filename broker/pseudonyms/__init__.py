"""From a person to a pseudonym that one supplier alone knows: ristretto255, RFC 9497, derivation.

Pure: keys, texts and randomness come in as arguments. `group` is the only module that touches
libsodium; `oprf` is RFC 9497; `derivation` says what is hashed and multiplied for whom; `epochs`
holds the pairwise keys by letter. Golden vectors freeze the results: changing one is a decision.
"""
