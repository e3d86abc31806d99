import pytest

pytest.register_assert_rewrite("tests.adapters.storage_model", "tests.adapters.storage_suite")
