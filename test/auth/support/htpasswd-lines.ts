/** What the hashes below are of, where nothing else is said. */
export const password = 'correct horse'

/** Hashes as `htpasswd` of Apache 2.4.71 made them, but for $2a$ and $2b$ (crypt(3) of libxcrypt) and the short salt (openssl). */
export const hashes = {
  bcrypt: '$2y$05$LcKMd4zvTz043dYgP8Qii.qZ7uEAwiWzDFtMVCCJeCMrNASHhG.Nm',
  'bcrypt 4': '$2y$04$zQR.31SVNxal0nqzQi6fkOwHNCnRAo26vUFi16Td6hMwflBDHrlGO',
  'bcrypt 10': '$2y$10$MJvbrV5VAIXNA/2nq4IA2.GAaOOmRsSW/0MwWl6LW0IkW0jSv9o8W',
  'bcrypt $2a$': '$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
  'bcrypt $2b$': '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
  apr1: '$apr1$ImNNE41f$lmCg2eD.PlaMz6jFWdY34/',
  'apr1 with a short salt': '$apr1$x$PSNAB.vTkM7vBB0Kq4yHq0',
  sha1: '{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=',
  crypt: '733P5gPL4K7bs'
}

/** Of `foreignPassword`. */
export const foreignHashes = {
  bcrypt: '$2y$04$mCK/PNCeUxTNB9VL1iFDLualUCoa4ps17w1D7fXez/i56jsSlr0B2',
  apr1: '$apr1$120TapXi$51pbc2G37SAg2DmptErJF1',
  sha1: '{SHA}LAl2s03jy8CS6RNaZ+QfS7KNvvo=',
  crypt: 'udlaE1G8UgemE'
}
export const foreignPassword = 'pä:wö🙂 d'

/** bcrypt of 72 times `a`, of the same and a `b`, of 71 times `a` and an `ä`, and of nothing. */
export const lengths = {
  72: '$2y$04$zHHNOqcjw.J1ow.LgPhmuetgzKzSjnnTJobohhgsNSu.UeVtd10Sq',
  73: '$2y$04$qDzKdIAMoYWLAyR/D2jJSOH6j0lCTTFh1z319wYl3lGxCHECjoody',
  '71 and ä': '$2y$04$F6ZFRCSorHrX7DGfkaD7k.xxn4kMzhQEvS31MArazUATJtIoZ20zS',
  0: '$2y$04$G0KxiRpmC82eDtrIwAujAu9RTmSsqOWKib/2sfIO3tCkGlnVD1ZQ2'
}

/** What `htpasswd` makes as well, and what is never accepted. */
export const refused = {
  '-2': '$5$vcxEkGPXSZ14VPtB$JOGermuZJ8K4nXu914SVSZr3WYx4dLzZdSgUXkHjMMC',
  '-5': '$6$U2188n4rJ5Rx92SW$cQIw62.PyK3509HtKnJZ4HuGDcAVFWILFnUx0E8zvWzHBSPRhWJt6kQgRBWTr8l22uyhVNxCPYCeXfM3jQPiD1',
  '-5 -r 1000': '$6$rounds=1000$Dn0EZTyH6ipodlHr$E609q90.bvNek.kmjGLvS8W2BF/B.5PgO5orv7N7zMj62GoOE/PELLbbcWMdabnuSXGxQ5jjjK45eF2wMSd0U/',
  '-B -C 15': '$2y$15$oFDq7E3EazqGtysAoT5Lc.AFgmn4ZpeNnHDC1qNnky5SWmCVNOdH.',
  '-p': 'correct horse'
}
