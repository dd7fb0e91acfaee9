import numpy as np, scipy, sys, time
from scipy import stats
cars="4 2,4 10,7 4,7 22,8 16,9 10,10 18,10 26,10 34,11 17,11 28,12 14,12 20,12 24,12 28,13 26,13 34,13 34,13 46,14 26,14 36,14 60,14 80,15 20,15 26,15 54,16 32,16 40,17 32,17 40,17 50,18 42,18 56,18 76,18 84,19 36,19 46,19 68,20 32,20 48,20 52,20 56,20 64,22 66,23 54,24 70,24 92,24 93,24 120,25 85"
cars=np.array([[float(v) for v in p.split()] for p in cars.split(",")])
speed,dist=cars.T
treat=np.array([94,197,16,38,99,141,23.]); ctrl=np.array([52,104,146,10,51,30,40,27,46.])
def corr(x,y,axis):
    x=x-x.mean(axis=axis,keepdims=True); y=y-y.mean(axis=axis,keepdims=True)
    return (x*y).sum(axis)/np.sqrt((x*x).sum(axis)*(y*y).sum(axis))
def slope(y,x,axis):
    x=x-x.mean(axis=axis,keepdims=True); return (x*y).sum(axis)/(x*x).sum(axis)
S=[
 ("cars","mean(dist)",(dist,),lambda x,axis:x.mean(axis),{}),
 ("cars","var(dist)",(dist,),lambda x,axis:x.var(axis,ddof=1),{}),
 ("cars","sd(dist)",(dist,),lambda x,axis:x.std(axis,ddof=1),{}),
 ("cars","sd(dist)/mean(dist)",(dist,),lambda x,axis:x.std(axis,ddof=1)/x.mean(axis),{}),
 ("cars","median(dist)",(dist,),lambda x,axis:np.median(x,axis),{}),
 ("cars","quantile(dist, 0.3)",(dist,),lambda x,axis:np.quantile(x,.3,axis=axis),{}),
 ("cars","trimmed_mean(dist, 0.1)",(dist,),lambda x,axis:stats.trim_mean(x,.1,axis=axis),{}),
 ("cars","mad(dist)",(dist,),lambda x,axis:stats.median_abs_deviation(x,axis=axis),{}),
 ("cars","correlation(speed, dist)",(speed,dist),lambda x,y,axis:corr(x,y,axis),dict(paired=True)),
 ("cars","covariance(speed, dist)",(speed,dist),lambda x,y,axis:((x-x.mean(axis,keepdims=True))*(y-y.mean(axis,keepdims=True))).sum(axis)/(x.shape[axis]-1),dict(paired=True)),
 ("cars","spearman(speed, dist)",(speed,dist),lambda x,y,axis:corr(stats.rankdata(x,axis=axis),stats.rankdata(y,axis=axis),axis),dict(paired=True)),
 ("cars","slope(dist, speed)",(dist,speed),lambda y,x,axis:slope(y,x,axis),dict(paired=True)),
 ("cars","ratio(dist, speed)",(dist,speed),lambda y,x,axis:y.mean(axis)/x.mean(axis),dict(paired=True)),
 ("cars","difference(dist, speed)",(dist,speed),lambda y,x,axis:y.mean(axis)-x.mean(axis),dict(paired=True)),
 ("mouse","difference(survival.treatment, survival.control)",(treat,ctrl),lambda x,y,axis:x.mean(axis)-y.mean(axis),{}),
 ("mouse","median(survival.treatment) - median(survival.control)",(treat,ctrl),lambda x,y,axis:np.median(x,axis)-np.median(y,axis),{}),
]
RUNS,B=25,20000
out=open(sys.argv[1],"w")
print(f"# scipy.stats.bootstrap {scipy.__version__}, numpy {np.__version__}: means over {RUNS} runs of {B} resamples, seeds 1000..{999+RUNS},",file=out)
print("# confidence level 0.95; sd is the standard deviation of one end over the runs, over the root of their number.",file=out)
print("# data\tstatistic\tmethod\tlow\tlow_sd\thigh\thigh_sd\tstandard_error\tstandard_error_sd",file=out)
for name,text,data,f,kw in S:
    for method in ("percentile","basic","BCa"):
        t=time.time(); rows=[]
        for k in range(RUNS):
            r=stats.bootstrap(data,f,n_resamples=B,batch=2000,method=method,rng=np.random.default_rng(1000+k),vectorized=True,**kw)
            rows.append((*r.confidence_interval,r.standard_error))
        rows=np.array(rows); m=rows.mean(0); s=rows.std(0,ddof=1)/np.sqrt(RUNS)
        print("\t".join([name,text,method.lower()]+[f"{v:.10g}" for p in zip(m,s) for v in p]),file=out,flush=True)
        print(text,method,round(time.time()-t,1),flush=True)
