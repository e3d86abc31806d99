<?php
// For PHP's own server: SimpleSAMLphp below /simplesaml, as Apache's Alias has it on Debian.
$www = (getenv('SIMPLESAMLPHP') ?: '/usr/share/simplesamlphp') . '/www';
$path = substr(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), strlen('/simplesaml'));
if (preg_match('#^(/[a-zA-Z0-9/_-]+\.php)(/.*)?$#', $path, $found) && is_file($www . $found[1])) {
    $_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/simplesaml' . $found[1];
    $_SERVER['SCRIPT_FILENAME'] = $www . $found[1];
    $_SERVER['PATH_INFO'] = $found[2] ?? '';
    chdir(dirname($www . $found[1]));
    require $www . $found[1];
} else {
    http_response_code(404);
}
