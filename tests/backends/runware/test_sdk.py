"""The provider's own Python client works against the emulator, over its WebSocket."""

from __future__ import annotations

import base64

from runware import IImageInference, Runware
from runware.types import IBriaProviderSettings, IInputs

from relightflow.backends.emulator.images import tiny
from relightflow.backends.runware.emulator import RunwareEmulator

IMAGE = f"data:image/jpeg;base64,{base64.b64encode(tiny()).decode()}"


async def test_the_official_client_gets_its_image() -> None:
    async with RunwareEmulator("a-key-for-the-client").running() as emulator:
        url = f"{emulator.url.replace('http', 'ws', 1)}/ws"
        client = Runware(api_key="a-key-for-the-client", url=url)
        await client.connect()
        try:
            bria = IBriaProviderSettings(edit="relight", lightType="midday", lightDirection="side")
            found = await client.imageInference(
                requestImage=IImageInference(
                    model="bria:21@2",
                    inputs=IInputs(image=IMAGE),
                    providerSettings=bria,
                    outputType="URL",
                    includeCost=True,
                )
            )
        finally:
            await client.disconnect()
        [image] = found
        [call] = emulator.bill
        assert (image.taskUUID, image.cost) == (call.name, 0.04)
        assert image.imageURL == f"{emulator.url}/image/{call.name}.jpg"
        settings = {"edit": "relight", "lightType": "midday", "lightDirection": "side"}
        assert (call.parameters, call.image) == (settings, tiny())
