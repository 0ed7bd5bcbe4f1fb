"""An image is encoded once, as long as the cache holds it."""

from __future__ import annotations

import threading

import pytest
from PIL import Image

from claude_magic.messages.errors import ImageError
from claude_magic.messages.images.prepare import ImageCache, prepare
from tests.messages.images.image_formats import RED
from tests.messages.images.image_samples import photo, saved


def test_an_image_is_encoded_once() -> None:
    cache = ImageCache()
    first = prepare(saved(photo(), "BMP"), cache=cache)
    assert prepare(saved(photo(), "BMP"), cache=cache) is first
    assert prepare(saved(photo(), "BMP"), cache=cache, long_edge=300) is not first


def test_an_image_in_memory_is_encoded_once_until_it_changes() -> None:
    cache = ImageCache()
    image = photo()
    first = prepare(image, cache=cache)
    assert prepare(image.copy(), cache=cache) is first
    image.putpixel((5, 5), RED)
    assert prepare(image, cache=cache) is not first


def test_two_palettes_over_the_same_indices_are_two_images() -> None:
    cache = ImageCache()
    one, other = Image.new("P", (9, 9)), Image.new("P", (9, 9))
    one.putpalette([255, 0, 0])
    other.putpalette([0, 0, 255])
    assert prepare(one, cache=cache).block != prepare(other, cache=cache).block


def test_the_cache_forgets_the_longest_unused_first() -> None:
    cache = ImageCache(max_bytes=100)

    def get(name: str) -> object:
        return cache.get_or_make(("bytes", name, 0), object, lambda _: 40)

    a, b = get("a"), get("b")
    assert get("a") is a
    get("c")
    assert get("a") is a
    assert get("b") is not b


def test_what_is_larger_than_the_cache_is_not_held() -> None:
    cache = ImageCache(max_bytes=10)
    first = prepare(photo(), cache=cache)
    assert prepare(photo(), cache=cache) == first
    assert prepare(photo(), cache=cache) is not first


def test_an_error_is_not_held() -> None:
    cache = ImageCache()
    for _ in range(2):
        with pytest.raises(ImageError):
            prepare(b"text", cache=cache)


def test_threads_share_a_cache() -> None:
    cache = ImageCache(max_bytes=60_000)
    images = [saved(photo(40 + n, 40), "BMP") for n in range(6)]
    expected = [prepare(image) for image in images]
    wrong: list[int] = []

    def ask() -> None:
        for _ in range(20):
            wrong.extend(n for n, i in enumerate(images) if prepare(i, cache=cache) != expected[n])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
