/** Tunnel rules where the software data path carries one gateway's packets, and the kernel the other's. */
import { proveTunnels } from '../../../policy/tunnels.ts'

await proveTunnels('software')
