/** Tunnel rules where the kernels of both gateways carry the packets. */
import { proveTunnels } from './tunnels.ts'

await proveTunnels('kernel')
