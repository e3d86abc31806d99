"""How every page looks and works: in Chromium, by axe-core and by the Nu Html Checker."""
