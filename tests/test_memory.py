import pytest

from blip2.memory import DTYPES, Parts, by_dtype, companion_of, gigabytes, weight_bytes

PARTS = Parts(vision=100, qformer=10, linear=1000, wide=200, rest=50)


def test_float16_keeps_the_qformer_and_flant5s_wide_matrices_in_float32() -> None:
    assert weight_bytes(PARTS, "float32") == 4 * 1360
    assert weight_bytes(PARTS, "bfloat16") == 2 * 1360
    assert weight_bytes(PARTS, "float16") == 2 * (100 + 1000 + 50) + 4 * (10 + 200)


def test_int8_and_nf4_shrink_the_language_models_matrices_alone() -> None:
    kept = 2 * (100 + 10 + 200 + 50)
    assert weight_bytes(PARTS, "int8", "bfloat16") == kept + 1000
    assert kept + 500 < weight_bytes(PARTS, "nf4", "bfloat16") < kept + 530


def test_dtypes_that_are_unsafe_for_a_family_are_not_offered() -> None:
    assert tuple(by_dtype(PARTS, "opt")) == DTYPES
    assert "float16" not in by_dtype(PARTS, "t5")
    assert tuple(by_dtype(PARTS, "itm")) == ("float32", "float16", "bfloat16")
    assert (companion_of("opt"), companion_of("t5"), companion_of("t5", bfloat16=False)) == (
        "float16",
        "bfloat16",
        "float32",
    )


@pytest.mark.parametrize(("size", "text"), [(7_740_000_000, "7.7 GB"), (3_200_000, "3.2 MB"), (10, "0.1 MB")])
def test_sizes_read_well(size: int, text: str) -> None:
    assert gigabytes(size) == text
