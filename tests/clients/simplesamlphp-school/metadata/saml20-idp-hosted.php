<?php
$metadata['http://localhost:5008/saml'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'school-key.pem',
    'certificate' => 'school-cert.pem',
    'auth' => 'pupils',
    // Names of the Entree convention, as they stand in authsources.php.
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
    // Not sealed: Debian 12's version knows AES-CBC alone, which we take by a dated exception only.
    'assertion.encryption' => false,
    'saml20.sign.assertion' => true,
    'validate.authnrequest' => true,
    // Logging out, both ways; neither is on by itself.
    'sign.logout' => true,
    'validate.logout' => true,
];
