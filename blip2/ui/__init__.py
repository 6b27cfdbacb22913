"""The page. Only this package imports gradio; what it asks of models goes through the backend's seam.

Gradio reads its switches from the environment when it is first imported, so they are set here, before any module of the
package can import it: no analytics and no telemetry, whatever the surroundings say.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
