# The two commands a newcomer needs are `make demo` and `make test`. Both set up .venv first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VENV := .venv
# Debian's own Python is built with optimisation by profile: a login costs a tenth less on it.
PYTHON := $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo python3)
PY := $(VENV)/bin/python
DEMO_PACKAGES := xmlsec1 python3-venv
# redis-tools holds the server's program too; unlike redis-server it starts no service.
# docker-compose reads compose files without an engine.
# apache2-bin and media-types are for example clients: unlike apache2 they start no service. So are
# libshibsp-plugins, the libraries of what is unpacked below, and php, which runs a SAML school.
TEST_PACKAGES := $(DEMO_PACKAGES) chromium fonts-dejavu-core redis-tools docker-compose openssl \
	apache2-bin libapache2-mod-auth-openidc media-types \
	libapache2-mod-auth-mellon libshibsp-plugins php-cli php-xml
# Debian's kubectl is too old for our manifests; where none is there, Go builds kustomize.
KUSTOMIZE := sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
# Unpacked, not installed: their services would listen on ports 80 and 443 of this machine, or run.
UNPACKED_PACKAGES := nginx prometheus shibboleth-sp-utils libapache2-mod-shib simplesamlphp

.PHONY: demo test bench fuzz pictures lint format lock translations clean

demo: $(VENV)/.demo-packages $(VENV)/.ready
	$(VENV)/bin/broker demo

test: $(VENV)/.test-packages $(VENV)/.ready
	$(PY) -m tests.run

# `make bench ONLY=first-day` runs one of them, `ONLY="first-day chooser"` two.
bench: $(VENV)/.test-packages $(VENV)/.ready
	$(PY) -m tests.bench $(ONLY)

# `make fuzz TARGET=response FUZZ_SECONDS=600` looks for longer than the tests do, and learns what leads on.
# atheris is no part of the lock: it exists for few versions of Python, and no test needs it.
TARGET := response
FUZZ_SECONDS := 60
fuzz: $(VENV)/.test-packages $(VENV)/.ready
	$(PY) -m pip install --quiet --no-deps --require-hashes --upgrade --target $(VENV)/fuzz -r tests/fuzz/atheris.txt
	PYTHONPATH=$(VENV)/fuzz $(PY) -m tests.fuzz $(TARGET) -max_total_time=$(FUZZ_SECONDS)

# The README's pictures, of a demo that runs meanwhile; `make pictures ONLY=me` takes one.
pictures: $(VENV)/.test-packages $(VENV)/.ready
	tests/install-packages pngquant
	$(PY) -m tests.looks.pictures $(ONLY)

lint: $(VENV)/.ready
	$(PY) -m pytest tests/quality

format: $(VENV)/.ready
	$(VENV)/bin/ruff format broker tests
	$(VENV)/bin/ruff check --fix broker tests

# --no-deps: the lock names everything; old installers may fetch an extra that no lock pins.
# The lock holds names, versions and hashes; it is made anew only on purpose. The image's locks are
# parts of it: what runs, what the demo's parties need besides, and what makes the wheel.
COMPILE := $(VENV)/bin/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host
PART := $(COMPILE) --no-annotate --constraint requirements.lock
lock: $(VENV)/.ready
	$(COMPILE) --extra demo --extra dev --output-file requirements.lock pyproject.toml
	$(PART) --output-file docker/locks/runtime.lock pyproject.toml
	$(PART) --extra demo --output-file docker/locks/demo.lock pyproject.toml
	$(PART) --output-file docker/locks/build.lock docker/locks/build.in

translations: $(VENV)/.ready
	$(VENV)/bin/pybabel -q extract --no-location --sort-output -F broker/web/babel.cfg -o $(VENV)/messages.pot broker
	$(VENV)/bin/pybabel -q update --no-wrap --no-fuzzy-matching --ignore-obsolete -i $(VENV)/messages.pot -d broker/web/locales
	$(VENV)/bin/pybabel -q compile -d broker/web/locales

$(VENV)/.ready: requirements.lock pyproject.toml $(wildcard broker/web/locales/*/LC_MESSAGES/*.po)
	test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	$(PY) -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	test ! -d broker/web/locales || $(VENV)/bin/pybabel -q compile -d broker/web/locales
	touch $@

# Example clients from npm and Go. Where they cannot be fetched, their tests say so, and no others.
CLIENTS := tests/clients
GO_CLIENT := $(CLIENTS)/others/go-oidc
$(VENV)/.client-packages: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(wildcard $(GO_CLIENT)/*)
	command -v npm >/dev/null || tests/install-packages nodejs npm
	mkdir -p $(VENV)/bin
	cd $(GO_CLIENT) && go build -o $(abspath $(VENV))/bin/example-go-oidc . || echo "No client from Go."
	if cd $(CLIENTS) && npm ci --silent; then touch $(abspath $@); else echo "No clients from npm." >&2; fi

# What looks at our pages: axe-core, and the Nu Html Checker, which runs on Java.
LOOKS := tests/looks
$(VENV)/.look-packages: $(LOOKS)/package.json $(LOOKS)/package-lock.json
	command -v npm >/dev/null || tests/install-packages nodejs npm
	command -v java >/dev/null || tests/install-packages default-jre-headless
	mkdir -p $(VENV)
	if cd $(LOOKS) && npm ci --silent --ignore-scripts; then touch $(abspath $@); else echo "No checkers from npm." >&2; fi

$(VENV)/.test-packages: $(VENV)/.client-packages $(VENV)/.look-packages

$(VENV)/.demo-packages $(VENV)/.test-packages: $(VENV)/.%-packages: Makefile
	tests/install-packages $(if $(findstring test,$*),$(TEST_PACKAGES),$(DEMO_PACKAGES))
	test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	$(if $(findstring test,$*),$(foreach each,$(UNPACKED_PACKAGES),tests/unpack-package $(each) $(VENV)/unpacked/$(each);))
	$(if $(findstring test,$*),command -v kubectl || GOBIN=$(abspath $(VENV))/bin go install $(KUSTOMIZE))
	touch $@

clean:
	rm -rf $(VENV) var $(CLIENTS)/node_modules $(LOOKS)/node_modules
