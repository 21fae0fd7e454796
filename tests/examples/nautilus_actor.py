"""The other end of `nautilus_feed.py`, in a nautilus_trader node: the type of the signals, and an actor on them.

    from nautilus_trader.config import DatabaseConfig, LiveDataEngineConfig, MessageBusConfig, TradingNodeConfig
    from nautilus_trader.live.node import TradingNode

    node = TradingNode(TradingNodeConfig(
        message_bus=MessageBusConfig(
            database=DatabaseConfig(port=6380), encoding="json", external_streams=["usdjpy-signals"]),
        data_engine=LiveDataEngineConfig(external_clients=[CLIENT]),
    ))
    node.trader.add_actor(SignalActor())
    node.build()
    node.run()

Not in the tests, which only hold its fields equal to the feed's: nautilus_trader takes 680 MB. By hand it ran in
nautilus_trader 1.221, which handed it the signals and the retraction of the test.
"""

from nautilus_trader.common.actor import Actor
from nautilus_trader.core.data import Data
from nautilus_trader.model.custom import customdataclass
from nautilus_trader.model.data import DataType
from nautilus_trader.model.identifiers import ClientId

CLIENT = ClientId("SIGNALS")


@customdataclass
class UsdJpySignal(Data):
    """A signal: + and `up` mean that the USD/JPY price should rise. `stand_aside` tells why not to trade."""

    signal_id: str = ""
    direction: str = "flat"
    strength: float = 0.0
    p_up: float = 0.0
    p_down: float = 0.0
    valid_until_ns: int = 0
    horizon_s: int = 0
    title: str = ""
    stand_aside: str = ""


class SignalActor(Actor):
    """Hears the signals; a strategy does the same in its `on_start` and `on_data`."""

    def on_start(self) -> None:
        """Subscribe."""
        self.msgbus.add_streaming_type(UsdJpySignal)
        self.subscribe_data(DataType(UsdJpySignal), client_id=CLIENT)

    def on_data(self, data: Data) -> None:
        """A signal came, or a reason to stand aside."""
        if not isinstance(data, UsdJpySignal):
            return
        if data.stand_aside:
            self.log.warning(f"stand aside: {data.stand_aside} {data.signal_id}")
        elif self.clock.timestamp_ns() < data.valid_until_ns:
            self.log.info(f"{data.direction} {data.strength:.2f} {data.title}")
