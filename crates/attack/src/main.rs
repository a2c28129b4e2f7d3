use tenfour_attack::league::*;
use tenfour_attack::programs::ALL;
fn main() {
    let n: u64 = std::env::args().nth(1).map_or(40, |n| n.parse().unwrap());
    let only = std::env::args().nth(2).unwrap_or_default();
    for p in ALL.iter().filter(|p| p.name.contains(&only)) {
        let t = std::time::Instant::now();
        let n = if p.kind.moves() { n / 8 } else { n };
        let s = play(p, Defence::On, Ground::Hub, n, 1);
        println!(
            "{:32} on  n {:5} p5 {:8.1} median {:8.1} max {:8.1} {:?}",
            p.name,
            s.errors.len(),
            s.quantile(0.05),
            s.median(),
            s.quantile(1.0),
            t.elapsed()
        );
        #[cfg(feature = "mutants")]
        {
            let t = std::time::Instant::now();
            let s = play(p, Defence::Out, Ground::Hub, n, 1);
            println!(
                "{:32} out n {:5} p5 {:8.1} median {:8.1} p95 {:8.1} max {:8.1} {:?}",
                p.name,
                s.errors.len(),
                s.quantile(0.05),
                s.median(),
                s.quantile(0.95),
                s.quantile(1.0),
                t.elapsed()
            );
        }
    }
}
