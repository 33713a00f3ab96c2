"""로그를 한 줄씩 만들어 주는 제너레이터예요. 고치지 않아도 돼요."""


def lines(count, every):
    """로그를 count줄 만들어요. every줄마다 한 번씩 오류예요."""
    for number in range(1, count + 1):
        level = "ERROR" if number % every == 0 else "INFO"
        yield f"{number:08d} {level} GET /orders/{number} 주문을 처리했어요"
