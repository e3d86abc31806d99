<?php
// The settings of SimpleSAMLphp as a school's login; what is left out keeps its default.
$config = [
    'baseurlpath' => 'http://localhost:5008/simplesaml/',
    'secretsalt' => bin2hex(random_bytes(16)), // in real life: made once, and kept
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'certdir' => __DIR__,
    'datadir' => __DIR__,
    'tempdir' => __DIR__,
    'loggingdir' => __DIR__,
    'logging.handler' => 'file',
    'metadatadir' => __DIR__ . '/metadata',
    'session.phpsession.savepath' => __DIR__,
    'session.cookie.secure' => false, // true on https, as it must be outside of this machine
    'session.cookie.samesite' => null,
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'saml' => true, 'exampleauth' => true],
    'store.type' => 'phpsession',
    'metadata.sources' => [
        ['type' => 'flatfile'],
        ['type' => 'xml', 'file' => __DIR__ . '/broker.xml'], // our metadata: --role sp
    ],
];
