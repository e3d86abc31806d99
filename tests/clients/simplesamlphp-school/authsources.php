<?php
// Two people; in real life an LDAP or SQL source of the school.
$config = [
    'pupils' => [
        'exampleauth:UserPass',
        'fatima:only-for-the-demo' => [
            'uid' => ['fatima'],
            'employeeNumber' => ['500123'],
            'givenName' => ['Fatima'],
            'sn' => ['El Amrani'],
            'mail' => ['fatima@vlieger.example'],
            'eduPersonAffiliation' => ['student'],
            'nlEduPersonHomeOrganizationId' => ['55EE'],
        ],
    ],
];
