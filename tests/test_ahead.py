import pytest

from keras_semisis import ahead


@pytest.mark.parametrize("chunk", [1, 7])
def test_in_order_is_in_order_and_not_far_ahead(chunk):
    begun = []

    def function(index):
        begun.append(index)
        return index * index

    most_ahead = 0
    for i, value in enumerate(ahead.in_order(function, 3, 200, chunk), start=3):
        assert value == i * i
        most_ahead = max(most_ahead, max(begun) - i)
    assert i == 199 and sorted(begun) == list(range(3, 200))
    assert most_ahead <= chunk * (2 * ahead._MOST_THREADS + 2)


def test_in_order_raises_what_the_function_raises():
    seen = []
    with pytest.raises(ZeroDivisionError):
        for value in ahead.in_order(lambda i: 6 // (3 - i), 0, 10):
            seen.append(value)
    assert seen == [2, 3, 6]
