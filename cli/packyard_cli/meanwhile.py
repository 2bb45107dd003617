"""Work of another thread, such as waiting for the service, while this one goes on."""

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

_Result = TypeVar("_Result")


class Meanwhile(Generic[_Result]):
    """Calls a function in another thread. The command can end without waiting for it.

    Args:
        function: The function. It must leave nothing half done if the process ends.
    """

    def __init__(self, function: Callable[[], _Result]) -> None:
        self._function = function
        self._results: list[_Result] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> _Result:
        """Wait for what the function returns, and return it.

        Raises:
            BaseException: What the function raised.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
