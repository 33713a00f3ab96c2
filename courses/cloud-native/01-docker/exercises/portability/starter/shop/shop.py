"""사과값을 알려 줘요. 몇 개인지 뒤에 적어요: python3 shop.py 3"""

import click

PRICE = 1800


@click.command()
@click.argument("count", type=int)
def main(count: int) -> None:
    click.echo(f"사과 {count}개는 {count * PRICE}원이에요.")


main()
